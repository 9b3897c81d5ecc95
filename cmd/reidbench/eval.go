package main

import (
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/reidbench/reidbench/bench"
	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/results"
	"github.com/reidbench/reidbench/results/grammar"
	"github.com/reidbench/reidbench/results/statistics"
)

func newEvalCommand() *cobra.Command {
	var (
		config  bench.EvaluateConfig
		options protocolOptions
		files   bench.WeightsFiles
		roc     rocOptions
		referee refereeOptions
		domains domainOptions
		json    bool
	)
	command := &cobra.Command{
		Use: `eval MODEL... --weights FILE --data DIR
  reidbench eval --from-features QUERY GALLERY --names FILE`,
		DisableFlagsInUseLine: true,

		Short: "Evaluate a file of weights, or another program's features",
		Long: `Eval judges weights by the protocol of Market-1501: single query, images of the
query's own identity and camera left out; CMC, mAP and mINP. Training images are not
needed; "data info --help" says what datasets may look like. FILE is safetensors or
PyTorch's .pth under the names of torchvision, timm or torchreid; there may be no
classifier, and one for another number of identities is left out, position embeddings
of another image size are resized, anything else that differs is an error.

mAP is the mean of average precisions, each the mean of the precisions at the hits, as
torchreid has it. --ap trapezoid adds the figure by the trapezoid rule of Market-1501's
own Matlab code, which is lower: with hits at ranks 2 and 3, .417 in place of .583.

Several models or datasets (--data again) make one table, Rank-1 and mAP of each model on
each dataset; the folder of a run, or of runs, will do for --weights. A dataset by which
nothing can be judged is named, and the exit code is 1. Whatever is judged by the weights
of a run is kept in its folder, for "report --domains".

Re-ranking is k-reciprocal (Zhong et al., CVPR 2017); the values that it takes by
default are those of the paper. Its figures stand below the protocol's own.

--from-features judges features that any program has made. QUERY and GALLERY are arrays
of NumPy's (.npy: float32 or float64, a row for each image), folders with such a file for
each image, or CSV as embed writes it; or one file has both, as --features writes it.
--names says whose the rows are: two lists of paths in the order of the rows, of queries
and of the gallery, whose file names have pid and camera in a layout that "data info
--help" lists; or CSV with path,pid,camid; or one CSV of both with a column split (query
or gallery). Images that bear such names themselves, in folders and CSV, need no list.

--roc also judges pairs, a query and an image of the gallery each, by a threshold on
their distance: which share of the pairs of one person it accepts (TPR) where it accepts
a given share of those of two (FPR), and the rate at which both errors are equal.

Each figure has a 95 % interval, by a bootstrap over the identities of the queries with
a fixed seed: how far it might be from what other people, sought in the same gallery by
the same weights, would give.`,
		Example: `  reidbench eval osnet --weights runs/osnet/weights.safetensors --data Market-1501-v15.09.15

  # as many papers report it
  reidbench eval osnet --weights osnet.pth --data DukeMTMC-reID --metric cosine --flip --rerank

  # also every image's embedding: file name, pid, camid, split, values
  reidbench eval resnet50 --weights resnet50.pth --data data/synthetic --features features.csv

  # is it the same person? thresholds by the rate of false acceptance
  reidbench eval osnet --weights osnet.pth --data Market-1501-v15.09.15 --roc --fpr 0.001 --roc-plot roc.svg

  # also what each query has found: average precision, rank of its first hit
  reidbench eval resnet50 --weights resnet50.pth --data data/synthetic --queries queries.csv

  # trained here, judged there: two runs on three datasets
  reidbench eval osnet resnet50 --weights runs --data Market-1501-v15.09.15 --data DukeMTMC-reID --data MSMT17_V1

  # features of torchreid, fast-reid or any other program
  reidbench eval --from-features query.npy gallery.npy --names query.txt,gallery.txt --rerank`,
		Args: referee.arguments,
		ValidArgsFunction: func(c *cobra.Command, args []string, text string) ([]string, cobra.ShellCompDirective) {
			if referee.on {
				return nil, cobra.ShellCompDirectiveDefault // files
			}
			return completeModels(c, args, text)
		},
		RunE: func(c *cobra.Command, args []string) error {
			if err := referee.check(c, args); err != nil {
				return err
			}
			protocol, err := options.protocol(c.Flags().Changed)
			if err != nil {
				return err
			}
			if err := roc.check(c.Flags().Changed); err != nil {
				return err
			}
			config.Protocol = protocol
			if !referee.on {
				list, found, err := domains.find(args, files)
				if err != nil {
					return err
				}
				if domains.several(list) {
					return domains.evaluate(c, bench.DomainsConfig{
						EvaluateConfig: config, Models: list, Files: found, Datasets: domains.data,
					}, json)
				}
				config.Model, config.Weights, config.Data = list[0], found[list[0].Name], domains.data[0]
			}
			progress, stop := newProgress(c.ErrOrStderr())
			config.Progress, config.Verify, config.FPR = progress, roc.asked(), roc.wanted()
			var evaluation bench.Evaluation
			if referee.on {
				evaluation, err = referee.judge(c.Context(), args, config)
			} else {
				evaluation, err = bench.Evaluate(c.Context(), config)
			}
			stop()
			if err != nil {
				return err
			}
			if err := roc.draw(evaluation); err != nil {
				return err
			}
			if json {
				return writeJSON(c.OutOrStdout(), evaluation)
			}
			return printEvaluation(c.OutOrStdout(), evaluation)
		},
	}
	flags := command.Flags()
	registerWeights(flags, &files, "`file` of weights, safetensors or .pth, or a folder with one for MODEL")
	flags.Var((*weightsSource)(&config.Source), weightsSourceFlag, sourceUsage)
	domains.register(command, &config.Layout)
	referee.register(command)
	options.register(command)
	options.registerAP(command)
	roc.register(command)
	flags.StringVar(&config.Features, "features", "", "`file` to write every image's embedding to, as CSV")
	flags.StringVar(&config.Queries, "queries", "", "`file` to write what each query has found to, as CSV")
	flags.IntVar(&config.Batch, "batch", recipe.DefaultBatch, "images in a batch")
	flags.IntVar(&config.Threads, "threads", 0, "threads; none: one per CPU")
	flags.BoolVar(&json, "json", false, "write JSON, with the CMC curve and the ends of the intervals")
	acceptConfig(command, "model")
	return command
}

func printEvaluation(w io.Writer, e bench.Evaluation) error {
	queries := strconv.Itoa(e.Queries)
	if i := e.Metrics.Intervals; i != nil {
		queries += " of " + grammar.Count(i.Identities, "identity", "identities")
	}
	if e.Skipped > 0 {
		queries += fmt.Sprintf(", %d more without a match in the gallery", e.Skipped)
	}
	var facts []results.Fact
	if e.Foreign != nil {
		facts = foreignFacts(*e.Foreign)
	} else {
		facts = []results.Fact{
			{Label: "Model", Text: e.Model + ", weights " + e.Weights},
			{Label: "Dataset", Text: e.Dataset.String()},
		}
	}
	facts = append(facts, results.Fact{Label: "Protocol", Text: e.Protocol.String()},
		results.Fact{Label: "Queries", Text: queries})
	results.WriteFacts(w, facts, terminalWidth(w))
	fmt.Fprintln(w)
	columns := []column{{Left: true}, {Title: "Rank-1"}, {Title: "Rank-5", Yields: 2},
		{Title: "Rank-10", Yields: 3}, {Title: "mAP"}, {Title: "mINP", Yields: 1}}
	if e.Protocol.Trapezoid {
		columns = append(columns, column{Title: "mAP trapezoid"})
	}
	rows := percents("by distance", e.Metrics)
	if r := e.Metrics.Reranked; r != nil {
		rows = append(rows, percents("re-ranked", *r)...)
	}
	if err := writeTable(w, columns, rows, nil); err != nil || e.Verification == nil {
		return err
	}
	return printVerification(w, *e.Verification)
}

// percents are the figures of an evaluation and, below them, their intervals.
func percents(label string, m results.Metrics) [][]string {
	row := []string{label}
	for _, share := range []float64{m.Rank1, m.Rank5, m.Rank10, m.MAP, m.MINP} {
		row = append(row, fmt.Sprintf("%.2f", 100*share))
	}
	if m.TrapezoidMAP > 0 {
		row = append(row, fmt.Sprintf("%.2f", 100*m.TrapezoidMAP))
	}
	rows := [][]string{row}
	if i := m.Intervals; i != nil {
		row := []string{"95 % interval"}
		for _, v := range []statistics.Interval{i.Rank1, i.Rank5, i.Rank10, i.MAP, i.MINP} {
			row = append(row, fmt.Sprintf("%.1f–%.1f", 100*v.Low, 100*v.High))
		}
		if m.TrapezoidMAP > 0 {
			row = append(row, "")
		}
		rows = append(rows, row)
	}
	return rows
}
