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
)

func newEvalCommand() *cobra.Command {
	var (
		config  bench.EvaluateConfig
		options protocolOptions
		json    bool
	)
	command := &cobra.Command{
		Use:   "eval MODEL --weights FILE --data DIR",
		Short: "Evaluate a file of weights, without training",
		Long: `Eval judges weights by the protocol of Market-1501: single query, images of the
query's own identity and camera left out; CMC, mAP and mINP. FILE is safetensors or
PyTorch's .pth under the names of torchvision, timm or torchreid; there may be no
classifier, and one for another number of identities is left out, position embeddings
of another image size are resized, anything else that differs is an error.

Re-ranking is k-reciprocal (Zhong et al., CVPR 2017); the values that it takes by
default are those of the paper. Its figures stand below the protocol's own.`,
		Example: `  reidbench eval osnet --weights runs/osnet/weights.safetensors --data Market-1501-v15.09.15

  # as many papers report it
  reidbench eval osnet --weights osnet.pth --data DukeMTMC-reID --metric cosine --flip --rerank

  # also every image's embedding: file name, pid, camid, values
  reidbench eval resnet50 --weights resnet50.pth --data data/synthetic --features features.csv`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeModels,
		RunE: func(c *cobra.Command, args []string) error {
			protocol, err := options.protocol(c.Flags().Changed)
			if err != nil {
				return err
			}
			model, err := models.Lookup(args[0])
			if err != nil {
				return err
			}
			progress, stop := newProgress(c.ErrOrStderr())
			config.Model, config.Protocol, config.Progress = model, protocol, progress
			evaluation, err := bench.Evaluate(c.Context(), config)
			stop()
			if err != nil {
				return err
			}
			if json {
				return writeJSON(c.OutOrStdout(), evaluation)
			}
			return printEvaluation(c.OutOrStdout(), evaluation)
		},
	}
	flags := command.Flags()
	flags.StringVar(&config.Weights, "weights", "", "`file` of weights: safetensors or .pth")
	flags.StringVar(&config.Data, "data", "", "`folder` of Market-1501")
	options.register(command)
	flags.StringVar(&config.Features, "features", "", "`file` to write every image's embedding to, as CSV")
	flags.IntVar(&config.Batch, "batch", recipe.DefaultBatch, "images in a batch")
	flags.IntVar(&config.Threads, "threads", 0, "threads; none: one per CPU")
	flags.BoolVar(&json, "json", false, "write JSON, with the CMC curve")
	_ = command.MarkFlagRequired("weights")
	_ = command.MarkFlagRequired("data")
	acceptConfig(command, "model")
	return command
}

func printEvaluation(w io.Writer, e bench.Evaluation) error {
	queries := strconv.Itoa(e.Queries)
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
	columns := []column{{title: "Rank-1"}, {title: "Rank-5"}, {title: "Rank-10"}, {title: "mAP"}, {title: "mINP"}}
	rows := [][]string{percents(e.Metrics)}
	if r := e.Metrics.Reranked; r != nil {
		columns = append([]column{{title: "", left: true}}, columns...)
		rows = [][]string{append([]string{"by distance"}, rows[0]...), append([]string{"re-ranked"}, percents(*r)...)}
	}
	return writeTable(w, columns, rows, nil)
}

func percents(m results.Metrics) []string {
	var row []string
	for _, share := range []float64{m.Rank1, m.Rank5, m.Rank10, m.MAP, m.MINP} {
		row = append(row, fmt.Sprintf("%.2f", 100*share))
	}
	return row
}
