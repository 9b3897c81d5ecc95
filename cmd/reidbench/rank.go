package main

import (
	"context"
	"fmt"
	"image"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/reidbench/reidbench/bench"
	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results"
	"github.com/reidbench/reidbench/results/atomicfile"
	"github.com/reidbench/reidbench/results/ranklist"
)

func newRankCommand() *cobra.Command {
	var (
		config  bench.RankConfig
		options protocolOptions
		files   bench.WeightsFiles
		choice  string
		out     string
		json    bool
	)
	command := &cobra.Command{
		Use:   "rank MODEL --weights FILE --data DIR --out DIR",
		Short: "Draw ranked lists: a query, and what it finds",
		Long: `Rank embeds all images by a file of weights, as eval does, and draws for some queries
the nearest images of the gallery: green around the same person, a broken red around
others; identity, camera and distance beneath. What the protocol leaves out, junk and the
query's person as its own camera has seen it, is left out. The same weights and images
give the same bytes. The paths of the files are printed.

Queries are chosen by average precision: "spread" takes them from the best to the worst
at even steps (of three: the best, the median and the worst), "best" and "worst" from one
end, "first" as they stand in the dataset.

With --heatmap there is, below each image, where the network looks in it, from blue to
red: the activations of the last map before pooling, as torchreid draws them, or for a
transformer how much the embedding takes of each patch, by attention rollout. --json
has the values.`,
		Example: `  # the best, the median and the worst query
  reidbench rank osnet --weights runs/osnet/weights.safetensors --data Market-1501-v15.09.15 --queries 3 --out ranked

  # where it fails, and the lists for a script
  reidbench rank osnet --weights osnet.pth --data Market-1501-v15.09.15 --choose worst --out ranked --json

  # where does it look?
  reidbench rank osnet --weights runs/osnet/weights.safetensors --data Market-1501-v15.09.15 --heatmap --out ranked`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeModels,
		RunE: func(c *cobra.Command, args []string) error {
			config.Choice = bench.Choice(choice)
			if !slices.Contains(bench.Choices(), config.Choice) {
				return misuse("--choose %s: it is one of %s", choice, choiceNames())
			}
			protocol, err := options.protocol(c.Flags().Changed)
			if err != nil {
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
			rankings, err := bench.Rank(c.Context(), config)
			stop()
			if err != nil {
				return err
			}
			paths, err := drawRankings(c.Context(), rankings, config.EvaluateConfig, out)
			if err != nil {
				return err
			}
			if json {
				return writeJSON(c.OutOrStdout(), rankings)
			}
			for _, file := range paths {
				fmt.Fprintln(c.OutOrStdout(), file)
			}
			return nil
		},
	}
	flags := command.Flags()
	registerWeights(flags, &files, "`file` of weights, safetensors or .pth, or a folder with one for MODEL")
	flags.Var((*weightsSource)(&config.Source), weightsSourceFlag, sourceUsage)
	registerData(command, &config.Data, &config.Layout)
	flags.StringVar(&out, "out", "", "`folder` of the pictures")
	flags.IntVar(&config.Queries, "queries", 10, "queries that are drawn")
	flags.StringVar(&choice, "choose", string(bench.ChooseSpread), "`which` queries: "+choiceNames())
	flags.IntVar(&config.Top, "top", 10, "gallery images in a list")
	flags.BoolVar(&config.Heatmap, "heatmap", false, "draw below every image where the network looks")
	options.register(command)
	flags.IntVar(&config.Batch, "batch", recipe.DefaultBatch, "images in a batch")
	flags.IntVar(&config.Threads, "threads", 0, "threads; none: one per CPU")
	flags.BoolVar(&json, "json", false, "print the lists as JSON in place of the paths")
	for _, name := range []string{"weights", "data", "out"} {
		_ = command.MarkFlagRequired(name)
	}
	acceptConfig(command, "model")
	return command
}

func choiceNames() string {
	return strings.Join(namesOf(bench.Choices(), func(c bench.Choice) string { return string(c) }), ", ")
}

// drawRankings writes a PNG per list into dir, which it creates, and returns their paths:
// rank-01-0002_c1s1_000451_03.png.
func drawRankings(ctx context.Context, r results.Rankings, c bench.EvaluateConfig, dir string) ([]string, error) {
	dataset, err := (market1501.Opener{Layout: c.Layout, TestOnly: true}).Open(ctx, c.Data)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	digits := len(fmt.Sprint(len(r.Lists)))
	var paths []string
	for i, list := range r.Lists {
		query := path.Base(list.Query.File)
		name := fmt.Sprintf("rank-%0*d-%s.png", max(digits, 2), i+1, strings.TrimSuffix(query, path.Ext(query)))
		file := filepath.Join(dir, name)
		err := atomicfile.Write(file, func(w io.Writer) error {
			return ranklist.Write(w, ranklist.Title(r, list), list, func(name string) (image.Image, error) {
				return dataset.Picture(ctx, name)
			})
		})
		if err != nil {
			return paths, err
		}
		paths = append(paths, file)
	}
	return paths, nil
}
