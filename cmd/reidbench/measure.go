package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/reidbench/reidbench/bench"
	"github.com/reidbench/reidbench/bench/machine"
	"github.com/reidbench/reidbench/bench/measure"
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results"
)

func newMeasureCommand() *cobra.Command {
	var (
		threads   int
		precision gemm.Precision
		variant   variantOptions
		out       string
		json      bool
	)
	command := &cobra.Command{
		Use:   "measure all|MODEL...",
		Short: "Measure what using models costs on this machine",
		Long: `Measure runs networks forward, on one image again and again and on batches of ` +
			strconv.Itoa(measure.ThroughputBatch) + `, and
prints for each

  latency     the time of one image: half of the runs (p50), nine tenths (p90) and
              99 of 100 (p99) took no longer
  throughput  images a second in batches
  memory      as planned, for one image and for a batch, with the weights; peak is how
              much more the process came to hold

A model takes a few seconds, all rows of the published tables a few minutes on two cores.
Weights are random and images are noise, which changes nothing in the time. Other work
on the machine makes the figures worse. Models of the same layers are measured once.

--out keeps the figures in a file after every model, for report and plot; these refuse
those of changed networks. After Ctrl-C what was measured is printed.`,
		Example: `  # all rows, for the reports of this machine
  reidbench measure all --out measured.json

  reidbench measure resnet50 'mobilenet*'
  reidbench measure osnet --threads 1 --json
  reidbench measure resnet50 --last-stride 1 --bnneck`,
		ValidArgsFunction: completeRows,
		Args:              cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			list, err := models.Match(args...)
			if err != nil {
				return err
			}
			if list, err = variant.of(list...); err != nil {
				return err
			}
			if err := precision.Available(); err != nil {
				return err
			}
			progress, stop := newCounter(c.ErrOrStderr(), "measured")
			measured, err := measureModels(c.Context(), list, threads, precision, out, progress)
			stop()
			if disturbed := results.DescribeDisturbed(measured.Models); disturbed != "" {
				fmt.Fprintln(c.ErrOrStderr(), "warning:", disturbed)
			}
			if json {
				return errors.Join(writeJSON(c.OutOrStdout(), measured), err)
			}
			if len(measured.Models) == 0 {
				return err
			}
			return errors.Join(printMeasurements(c.OutOrStdout(), measured), err)
		},
	}
	flags := command.Flags()
	flags.IntVar(&threads, "threads", 0, "threads; none: one per CPU")
	flags.TextVar(&precision, "precision", gemm.FP32, precisionUsage)
	variant.register(flags, "")
	flags.StringVar(&out, "out", "", "`file` to keep the figures in")
	flags.BoolVar(&json, "json", false, "write JSON, as --out does to a file")
	return command
}

// measureModels measures one model after the other, and keeps the figures in a file unless its name is "". It returns
// what was measured also with an error, about models that could not be, or because ctx has ended.
func measureModels(
	ctx context.Context, list []models.Model, threads int, precision gemm.Precision, out string,
	progress func(done, total int),
) (results.Measurements, error) {
	measured := results.Measurements{
		Format: results.MeasurementsFormat, Version: describeBuild().Version, Machine: machine.Describe(),
		Models: []results.Measured{},
	}
	inferrer := measure.NewInferrer(threads, precision, measure.Now)
	var failed []error
	for i, m := range list {
		of, err := inferrer.Measure(ctx, m)
		if ctx.Err() != nil {
			return measured, fmt.Errorf("%w; %d of %d models are measured", bench.ErrInterrupted,
				len(measured.Models), len(list))
		}
		if err != nil {
			failed = append(failed, err)
			continue
		}
		measured.Models = append(measured.Models, results.Measured{
			Model: m.Name, Row: m.Row, Variant: m.Variant().String(), Inference: of,
		})
		if out != "" {
			if err := results.WriteMeasurements(out, measured); err != nil {
				return measured, err
			}
		}
		progress(i+1, len(list))
	}
	if len(failed) > 0 {
		return measured, quietly(errFound, errors.Join(failed...))
	}
	return measured, nil
}

// printMeasurements prints the machine, and a table that fits into 80 columns.
func printMeasurements(w io.Writer, m results.Measurements) error {
	first := m.Models[0].Inference
	facts := []results.Fact{{Label: "Machine", Text: m.Machine.String()}}
	if variant := m.Models[0].Variant; variant != "" {
		facts = append(facts, results.Fact{Label: "Networks", Text: "with " + strings.ReplaceAll(variant, ",", ", ")})
	}
	results.WriteFacts(w, append(facts, []results.Fact{
		{Label: "Threads", Text: fmt.Sprintf("%d, %s", first.Threads, first.Precision)},
		{Label: "Latency", Text: "of one image, in ms"},
		{Label: "Throughput", Text: fmt.Sprintf("in batches of %d", first.Batch)},
		{Label: "Memory", Text: fmt.Sprintf("planned for 1 image and for %d; peak: more than before", first.Batch)},
	}...), terminalWidth(w))
	fmt.Fprintln(w)
	columns := []column{
		{Title: "Model", Left: true}, {Title: "p50"}, {Title: "p90"}, {Title: "p99"}, {Title: "img/s"},
		{Title: "MiB at\u00a01"}, {Title: "MiB at\u00a0" + strconv.Itoa(first.Batch)}, {Title: "MiB peak"},
	}
	var rows [][]string
	for _, of := range m.Models {
		i := of.Inference
		row := []string{of.Model}
		for _, v := range []float64{
			i.Latency.P50, i.Latency.P90, i.Latency.P99, i.ImagesPerSecond,
			mebibytes(i.PlannedBytes), mebibytes(i.BatchPlannedBytes),
		} {
			row = append(row, figure(v))
		}
		peak := ""
		if i.PeakBytes > 0 {
			peak = figure(mebibytes(i.PeakBytes))
		}
		rows = append(rows, append(row, peak))
	}
	return writeTable(w, columns, rows, nil)
}

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }

// measuredUsage explains the flag --measured.
const measuredUsage = "`file` of \"measure --out\": what using the models costs, in place of what runs have measured"

// addMeasurements puts a file of measurements into a report; "" is none.
func addMeasurements(report *results.Report, file string) error {
	if file == "" {
		return nil
	}
	measured, err := results.ReadMeasurements(file)
	if err != nil {
		return err
	}
	report.Measure(measured)
	return nil
}
