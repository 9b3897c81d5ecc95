package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/reidbench/reidbench/plots"
)

// plotsFolder is that of the charts in a folder of runs.
const plotsFolder = "plots"

func newPlotCommand() *cobra.Command {
	var runs, out, measured string
	var compare bool
	command := &cobra.Command{
		Use:   "plot",
		Short: "Draw accuracy against cost",
		Long: `Plot draws mAP and Rank-1 against MACs and against params, and where inference was
measured against its latency and throughput, each as PNG and as SVG: ours and the
published figures in one chart where like is compared with like, or with --compare, and
else in charts of their own, the names of ours beginning with ours-. Ours has a whisker, its 95 % interval over
the identities of the queries, and over several seeds it is the mean with a broad bar of
one standard deviation. The same runs give the same bytes. The paths of the files are
printed.`,
		Example: `  # into runs/plots
  reidbench plot

  reidbench plot --runs runs-paper --out docs/plots

  # the published accuracies against what the models cost on this machine
  reidbench plot --measured measured.json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			report, err := loadRuns(c, runs)
			if err != nil {
				return err
			}
			if err := addMeasurements(report, measured); err != nil {
				return err
			}
			if compare {
				report.CompareAll()
			}
			nameOdd(report, c.ErrOrStderr())
			if out == "" {
				out = filepath.Join(runs, plotsFolder)
			}
			paths, err := plots.Render(out, plots.FromReport(report))
			for _, path := range paths {
				fmt.Fprintln(c.OutOrStdout(), path)
			}
			return err
		},
	}
	command.Flags().StringVar(&runs, "runs", defaultRuns, "`folder` of the runs")
	command.Flags().StringVar(&measured, "measured", "", measuredUsage)
	command.Flags().BoolVar(&compare, "compare",
		false, "draw unlike runs into one chart with the published figures, too")
	command.Flags().StringVar(&out, "out", "", "`folder` of the charts; none: plots in the folder of the runs")
	return command
}
