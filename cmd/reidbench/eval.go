package main

import (
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/reidbench/reidbench/bench"
	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/models"
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
		json    bool
	)
	command := &cobra.Command{
		Use:   "eval MODEL --weights FILE --data DIR",
		Short: "Evaluate a file of weights, without training",
		Long: `Eval judges weights by the protocol of Market-1501: single query, images of the
query's own identity and camera left out; CMC, mAP and mINP. Training images are not
needed; "data info --help" says what datasets may look like. FILE is safetensors or
PyTorch's .pth under the names of torchvision, timm or torchreid; there may be no
classifier, and one for another number of identities is left out, position embeddings
of another image size are resized, anything else that differs is an error.

mAP is the mean of average precisions, each the mean of the precisions at the hits, as
torchreid has it. --ap trapezoid adds the figure by the trapezoid rule of Market-1501's
own Matlab code, which is lower: with hits at ranks 2 and 3, .417 in place of .583.

Re-ranking is k-reciprocal (Zhong et al., CVPR 2017); the values that it takes by
default are those of the paper. Its figures stand below the protocol's own.

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
  reidbench eval resnet50 --weights resnet50.pth --data data/synthetic --queries queries.csv`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeModels,
		RunE: func(c *cobra.Command, args []string) error {
			protocol, err := options.protocol(c.Flags().Changed)
			if err != nil {
				return err
			}
			if err := roc.check(c.Flags().Changed); err != nil {
				return err
			}
			model, err := models.Lookup(args[0])
			if err != nil {
				return err
			}
			if config.Weights, err = weightsOf(files, model); err != nil {
				return err
			}
			progress, stop := newProgress(c.ErrOrStderr())
			config.Model, config.Protocol, config.Progress = model, protocol, progress
			config.Verify, config.FPR = roc.asked(), roc.wanted()
			evaluation, err := bench.Evaluate(c.Context(), config)
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
	registerData(command, &config.Data, &config.Layout)
	options.register(command)
	options.registerAP(command)
	roc.register(command)
	flags.StringVar(&config.Features, "features", "", "`file` to write every image's embedding to, as CSV")
	flags.StringVar(&config.Queries, "queries", "", "`file` to write what each query has found to, as CSV")
	flags.IntVar(&config.Batch, "batch", recipe.DefaultBatch, "images in a batch")
	flags.IntVar(&config.Threads, "threads", 0, "threads; none: one per CPU")
	flags.BoolVar(&json, "json", false, "write JSON, with the CMC curve and the ends of the intervals")
	_ = command.MarkFlagRequired("weights")
	_ = command.MarkFlagRequired("data")
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
	results.WriteFacts(w, []results.Fact{
		{Label: "Model", Text: e.Model + ", weights " + e.Weights},
		{Label: "Dataset", Text: e.Dataset.String()},
		{Label: "Protocol", Text: e.Protocol.String()},
		{Label: "Queries", Text: queries},
	}, terminalWidth(w))
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
