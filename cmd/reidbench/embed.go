package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/reidbench/reidbench/bench"
	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results/atomicfile"
	"github.com/reidbench/reidbench/results/grammar"
	"github.com/reidbench/reidbench/results/visible"
)

// embedOptions are what embed is asked for.
type embedOptions struct {
	bench.EmbedConfig
	protocolOptions
	out, against string
	top          int
	json         bool
}

func newEmbedCommand() *cobra.Command {
	var (
		options embedOptions
		files   bench.WeightsFiles
	)
	command := &cobra.Command{
		Use:   "embed MODEL --weights FILE PATH...",
		Short: "Print the embeddings of any images, or what is nearest to them",
		Long: `Embed makes the features that eval judges by, of any JPEG and PNG files, in the order in
which they are named. A PATH is a file, a folder for all images in and below it, or "-"
for a list of paths on standard input, one a line. Nothing is read from names.

It writes CSV (file, f0, f1, …) to standard output or, by --out, to a file that ends in
.csv, or an array for NumPy to one in .npy, float32 [images, length].

With --against it prints, for each image, the nearest of a folder's images instead.

Images that cannot be decoded are named at the end, and the exit code is 1; they have
no line in CSV, and NaN in NumPy's array.`,
		Example: `  reidbench embed osnet --weights runs/osnet/weights.safetensors query.jpg > query.csv
  reidbench embed osnet --weights osnet.pth crops/ more/crop.png --out crops.npy

  # who is it?
  reidbench embed osnet --weights osnet.pth unknown.jpg --against known/ --top 3 --metric cosine`,
		Args:              cobra.MinimumNArgs(2),
		ValidArgsFunction: completeModelThenFiles,
		RunE: func(c *cobra.Command, args []string) error {
			err := options.check()
			if err != nil {
				return err
			}
			if options.Model, err = models.Lookup(args[0]); err != nil {
				return err
			}
			if options.Weights, err = weightsOf(files, options.Model); err != nil {
				return err
			}
			return options.embed(c, args[1:])
		},
	}
	flags := command.Flags()
	registerWeights(flags, &files, "`file` of weights, safetensors or .pth, or a folder with one for MODEL")
	flags.Var((*weightsSource)(&options.Source), weightsSourceFlag, sourceUsage)
	flags.StringVar(&options.out, "out", "", "`file` for the embeddings, .csv or .npy")
	flags.StringVar(&options.against, "against", "", "`folder` of a gallery: print the nearest of its images")
	flags.IntVar(&options.top, "top", 5, "images of the gallery for each")
	options.registerMetric(command)
	flags.BoolVar(&options.Flip, "flip", false, "take the mean of the embeddings of an image and its mirror image")
	flags.IntVar(&options.Batch, "batch", recipe.DefaultBatch, "images in a batch")
	flags.IntVar(&options.Threads, "threads", 0, "threads; none: one per CPU")
	flags.BoolVar(&options.json, "json", false, "write what --against finds as JSON")
	_ = command.MarkFlagRequired("weights")
	return command
}

// check refuses what cannot be done, before anything is.
func (o *embedOptions) check() error {
	switch ending := strings.ToLower(filepath.Ext(o.out)); {
	case o.out != "" && ending != ".csv" && ending != ".npy":
		return misuse("--out %s: the file's name has to end in .csv or .npy", o.out)
	case o.json && o.against == "":
		return misuse("--json is for what --against finds")
	}
	return nil
}

func (o *embedOptions) embed(c *cobra.Command, paths []string) error {
	ctx, stdout, stderr := c.Context(), c.OutOrStdout(), c.ErrOrStderr()
	paths, err := listedPaths(paths, c.InOrStdin())
	if err != nil {
		return err
	}
	lists := make([]*market1501.Split, 1, 2)
	if lists[0], err = market1501.NamedImages(ctx, paths); err != nil {
		return err
	}
	if o.against != "" {
		gallery, err := market1501.NamedImages(ctx, []string{o.against})
		if err != nil {
			return err
		}
		lists = append(lists, gallery)
	}
	count, stop := newCounter(stderr, "embedded")
	progress, stopNotes := newProgress(stderr)
	stopNotes() // of the weights there are notes, no bars
	o.Progress, o.Count = progress, count
	embedded, err := bench.Embed(ctx, o.EmbedConfig, lists...)
	stop()
	if err != nil {
		return err
	}
	if err := o.write(ctx, stdout, len(lists[0].Entries), embedded); err != nil {
		return err
	}
	return brokenImages(embedded)
}

// listedPaths are the paths with those of standard input in the place of "-".
func listedPaths(paths []string, stdin io.Reader) (all []string, err error) {
	for _, path := range paths {
		if path != "-" {
			all = append(all, path)
			continue
		}
		lines := bufio.NewScanner(stdin)
		for lines.Scan() {
			if line := strings.TrimSuffix(lines.Text(), "\r"); line != "" {
				all = append(all, line)
			}
		}
		if err := lines.Err(); err != nil {
			return nil, fmt.Errorf("read the list of images on standard input: %w", err)
		}
	}
	return all, nil
}

// write writes what was asked for of so many images that were named.
func (o *embedOptions) write(ctx context.Context, stdout io.Writer, named int, embedded []bench.Embedded) error {
	of := embedded[0]
	asCSV := func(w io.Writer) error { return writeEmbeddings(w, of.Features) }
	switch {
	case strings.EqualFold(filepath.Ext(o.out), ".npy"):
		err := atomicfile.Write(o.out, func(w io.Writer) error { return of.Features.WriteNPY(w, named, of.Places) })
		if err != nil {
			return err
		}
	case o.out != "":
		if err := atomicfile.Write(o.out, asCSV); err != nil {
			return err
		}
	case o.against == "":
		return asCSV(stdout)
	}
	if o.against == "" {
		return nil
	}
	gallery := embedded[1].Features
	found, err := market1501.Nearest(ctx, of.Features, gallery, o.metric, o.Threads, o.top)
	if err != nil {
		return err
	}
	if o.json {
		return writeNearestJSON(stdout, of.Features, gallery, found)
	}
	return printNearest(stdout, of.Features, gallery, found)
}

// writeEmbeddings writes the file and the values of each image, in the shortest decimals that read back as the same
// float32.
func writeEmbeddings(w io.Writer, f *market1501.Features) error {
	out := csv.NewWriter(w)
	row := []string{"file"}
	for i := range f.Dim {
		row = append(row, "f"+strconv.Itoa(i))
	}
	if err := out.Write(row); err != nil {
		return err
	}
	for i := range f.Len() {
		row = f.AppendText(append(row[:0], f.Names[i]), i)
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func printNearest(w io.Writer, images, gallery *market1501.Features, found [][]market1501.Found) error {
	var rows [][]string
	for i, list := range found {
		for rank, g := range list {
			name := ""
			if rank == 0 {
				name = images.Names[i]
			}
			distance := strconv.FormatFloat(g.Distance, 'f', 4, 64)
			rows = append(rows, []string{name, strconv.Itoa(rank + 1), distance, gallery.Names[g.Image]})
		}
	}
	columns := []column{
		{Title: "Image", Left: true}, {Title: "Rank"}, {Title: "Distance"}, {Title: "Nearest", Left: true},
	}
	return writeTable(w, columns, rows, nil)
}

func writeNearestJSON(w io.Writer, images, gallery *market1501.Features, found [][]market1501.Found) error {
	type near struct {
		File     string  `json:"file"`
		Distance float64 `json:"distance"`
	}
	type answer struct {
		File    string `json:"file"`
		Nearest []near `json:"nearest"`
	}
	answers := []answer{}
	for i, list := range found {
		a := answer{File: images.Names[i], Nearest: []near{}}
		for _, g := range list {
			a.Nearest = append(a.Nearest, near{gallery.Names[g.Image], g.Distance})
		}
		answers = append(answers, a)
	}
	return writeJSON(w, answers)
}

// brokenImages is the error that names images that cannot be decoded, nil if all could be.
func brokenImages(embedded []bench.Embedded) error {
	var lines []string
	for _, e := range embedded {
		for _, b := range e.Broken {
			lines = append(lines, "\n  "+visible.Line(b.String()))
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return found("%s cannot be decoded:%s", grammar.Count(len(lines), "image", "images"), strings.Join(lines, ""))
}
