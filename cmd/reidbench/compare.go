package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/reidbench/reidbench/results"
	"github.com/reidbench/reidbench/results/grammar"
)

// compareFormat names the layout of compare's JSON.
const compareFormat = "reidbench-compare/1"

func newCompareCommand() *cobra.Command {
	var (
		sides   sideOptions
		options protocolOptions
		json    bool
	)
	command := &cobra.Command{
		Use:   "compare A B",
		Short: "Say how two models differ, and how sure that is",
		Long: `Compare holds what the queries have found under A against what they have found under
B: the difference of each figure, A less B, with its 95 % interval, by a bootstrap over
identities, and p, by a paired permutation test over identities: how often so large a
difference comes up where neither is better. The queries of one person are not
independent, and a query that is hard for A is hard for B.

A and B are models in the folder of the runs (of several seeds, query by query the mean
is taken), folders of runs, files of queries, or files of features, as eval writes them;
--metric is for features. With --rerank it is what they have found after re-ranking. What
was judged by other queries, or against another gallery as far as that is known, is
refused. Files of the same content and runs with the same weights are identical, and
nothing differs. The exit code is 0 whatever differs.`,
		Example: `  # two models of a run
  reidbench compare osnet resnet50 --runs runs-paper

  # one model of two runs, for a script
  reidbench compare runs-a/osnet runs-b/osnet --json

  # two files that eval --features has written, after re-ranking
  reidbench compare ours.csv theirs.csv --metric cosine --rerank`,
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: completeModelsAndFiles,
		RunE: func(c *cobra.Command, args []string) (err error) {
			if sides.protocol, err = options.protocol(c.Flags().Changed); err != nil {
				return err
			}
			a, err := sides.find(c.Context(), args[0])
			if err != nil {
				return err
			}
			b, err := sides.find(c.Context(), args[1])
			if err != nil {
				return err
			}
			if err := a.unlike(b); err != nil {
				return fmt.Errorf("%s and %s can't be compared: %w", args[0], args[1], err)
			}
			paired, err := results.ComparePaired(a.runs, b.runs, options.rerank)
			if err != nil {
				return fmt.Errorf("%s and %s can't be compared: %w", args[0], args[1], err)
			}
			if a.is(b) {
				paired = paired.OfOne()
			}
			if json {
				return writeJSON(c.OutOrStdout(), comparedJSON{compareFormat, a.what, b.what, paired})
			}
			return printPaired(c.OutOrStdout(), a, b, paired)
		},
	}
	flags := command.Flags()
	flags.StringVar(&sides.runs, "runs", defaultRuns, "`folder` of the runs")
	options.registerComparison(command)
	flags.IntVar(&sides.threads, "threads", 0, "threads, for features; none: one per CPU")
	flags.BoolVar(&json, "json", false, "write JSON, in fractions of 1")
	return command
}

// comparedJSON is what --json writes.
type comparedJSON struct {
	Format string `json:"format"`
	A      string `json:"a"`
	B      string `json:"b"`
	results.Paired
}

// surely is the largest p that is not taken for chance.
const surely = 0.05

func printPaired(w io.Writer, a, b side, paired results.Paired) error {
	facts := []results.Fact{
		{Label: "A", Text: a.what},
		{Label: "B", Text: b.what},
		{Label: "Queries", Text: fmt.Sprintf("%d of %s", paired.Queries,
			grammar.Count(paired.Identities, "identity", "identities"))},
	}
	switch {
	case paired.Identical:
		facts = append(facts, results.Fact{Label: "Found", Text: "the same under both: A and B are identical"})
	case paired.Same:
		facts = append(facts, results.Fact{Label: "Found", Text: "the same under both, by every query"})
	}
	results.WriteFacts(w, facts, terminalWidth(w))
	fmt.Fprintln(w)
	columns := []column{{Left: true}, {Title: "A"}, {Title: "B"}, {Title: "A\u00a0-\u00a0B"},
		{Title: "95\u00a0% interval", Yields: 1}, {Title: "p"}, {Left: true}}
	var rows [][]string
	for _, f := range paired.Figures {
		verdict := "can't be told apart"
		switch {
		case paired.Identical:
			verdict = "identical"
		case f.P <= surely && f.Difference > 0:
			verdict = "A is better"
		case f.P <= surely:
			verdict = "B is better"
		}
		rows = append(rows, []string{
			f.Title, fmt.Sprintf("%.2f", 100*f.A), fmt.Sprintf("%.2f", 100*f.B), fmt.Sprintf("%+.2f", 100*f.Difference),
			fmt.Sprintf("%+.2f to %+.2f", 100*f.Interval.Low, 100*f.Interval.High), chance(f.P), verdict,
		})
	}
	if err := writeTable(w, columns, rows, nil); err != nil {
		return err
	}
	fmt.Fprintln(w)
	results.WriteFacts(w, []results.Fact{{
		Label: "p", Text: "how often so large a difference comes up where neither is better; at 0.05 or less one is " +
			"called better. It is of this one comparison: who looks at many corrects for that, as the report does.",
	}}, terminalWidth(w))
	return nil
}

// chance prints a p-value with two digits that say something.
func chance(p float64) string {
	if p < 0.0001 {
		return fmt.Sprintf("%.1g", p)
	}
	return fmt.Sprintf("%.2g", p)
}
