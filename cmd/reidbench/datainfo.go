package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/results/grammar"
	"github.com/reidbench/reidbench/results/visible"
)

func newDataInfoCommand() *cobra.Command {
	var (
		opener  = market1501.Opener{TestOnly: true}
		threads int
		json    bool
	)
	command := &cobra.Command{
		Use:   "info DIR|FILE.csv",
		Short: "Count a dataset and look for broken images",
		Long: `Info decodes every image of a dataset and counts images, identities, cameras, junk and
distractors of each split, what else lies among the images, and the queries that have a
match in the gallery. Images that are broken, or that a list names and are not there, or
whose name does not parse are listed, and so are those of query and gallery that are
training images as well; the exit code is 1 then, or if no query has a match. Eval and rank need no training images.

` + describeLayouts(),
		Example: `  reidbench data info Market-1501-v15.09.15
  reidbench data info data/synthetic --json

  # images of any name, in a list
  reidbench data info own/images.csv`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			dir, err := expandHome(args[0])
			if err != nil {
				return err
			}
			dataset, err := opener.Open(c.Context(), dir)
			if err != nil {
				return err
			}
			progress, stop := newCounter(c.ErrOrStderr(), "decoding")
			info, err := dataset.Info(c.Context(), threads, progress)
			stop()
			if err != nil {
				return err
			}
			write := printDataset
			if json {
				write = writeDatasetJSON
			}
			if err := write(c.OutOrStdout(), info); err != nil {
				return err
			}
			return judgeDataset(info)
		},
	}
	command.Flags().StringVar(&opener.Layout, "layout", "", layoutUsage())
	command.Flags().IntVar(&threads, "threads", 0, "images decoded at once; none: one per CPU")
	command.Flags().BoolVar(&json, "json", false, "write JSON")
	return command
}

// judgeDataset is the finding of a dataset that should not be used as it is.
func judgeDataset(info *market1501.Info) error {
	bad, both := 0, info.Overlap.Len()
	for _, s := range info.Splits {
		bad += len(s.Broken) + len(s.Unparsable)
	}
	trained := grammar.Choose(both, "is a training image", "are training images")
	switch {
	case bad > 0 && both > 0:
		return found("%s of %s cannot be used, and of its test images %d %s", grammar.Count(bad, "file", "files"),
			info.Source, both, trained)
	case bad > 0:
		return found("%s of %s cannot be used", grammar.Count(bad, "file", "files"), info.Source)
	case both > 0:
		return found("of the test images of %s %d %s", info.Source, both, trained)
	case info.Matched == 0:
		return found("no query of %s has a match in the gallery", info.Source)
	}
	return nil
}

func printDataset(w io.Writer, info *market1501.Info) error {
	fmt.Fprintf(w, "%s\nlayout %s\nfingerprint %s\n", visible.Line(info.Source), info.Layout, info.Fingerprint)
	fmt.Fprintf(w, "%s of %s %s %s a match in the gallery\n\n",
		grouped(int64(info.Matched)), grouped(int64(info.Queries)),
		grammar.Choose(info.Queries, "query", "queries"), grammar.Choose(info.Matched, "has", "have"))
	columns := []column{
		{Title: "Split", Left: true}, {Title: "Images"}, {Title: "Identities", Yields: 1},
		{Title: "Cameras", Yields: 2}, {Title: "Distractors", Yields: 3}, {Title: "Junk", Yields: 4}, {Title: "Broken"},
		{Title: "Unparsable", Yields: 5}, {Title: "Other files", Yields: 6},
	}
	var rows [][]string
	for _, s := range info.Splits {
		row := []string{s.Folder}
		for _, n := range []int{
			s.Images, s.IDs, s.Cameras, s.Distractors, s.Junk, len(s.Broken), len(s.Unparsable), s.OtherFiles(),
		} {
			row = append(row, grouped(int64(n)))
		}
		rows = append(rows, row)
	}
	if err := writeTable(w, columns, rows, nil); err != nil {
		return err
	}
	for _, s := range info.Splits {
		for _, b := range s.Broken {
			fmt.Fprintf(w, "broken: %q: %v\n", b.Path, b.Err)
		}
		for _, path := range s.Unparsable {
			fmt.Fprintf(w, "unparsable name: %q\n", path)
		}
		for _, o := range s.Others {
			fmt.Fprintf(w, "not read: %s\n", visible.Line(o.String()))
		}
	}
	for _, path := range slices.Concat(info.Overlap.Query, info.Overlap.Gallery) {
		fmt.Fprintf(w, "a training image as well: %q\n", path)
	}
	return nil
}

// splitDocument is a split as JSON.
type splitDocument struct {
	Split       string           `json:"split"`
	Images      int              `json:"images"`
	IDs         int              `json:"ids"`
	Cameras     int              `json:"cameras"`
	Distractors int              `json:"distractors"`
	Junk        int              `json:"junk"`
	Ignored     int              `json:"ignored"`
	Others      []othersDocument `json:"others"`
	Unparsable  []string         `json:"unparsable"`
	Broken      []brokenDocument `json:"broken"`
	Trained     []string         `json:"trained"` // that are training images as well
}

// othersDocument counts what is ignored, by ending.
type othersDocument struct {
	Ending  string `json:"ending"` // "" has none; "hidden" and "folder" are no endings
	Count   int    `json:"count"`
	Example string `json:"example"`
}

type brokenDocument struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

func writeDatasetJSON(w io.Writer, info *market1501.Info) error {
	document := struct {
		Source      string          `json:"source"` // the folder, or the list
		Root        string          `json:"root"`   // what paths are relative to
		Layout      string          `json:"layout"`
		Fingerprint string          `json:"fingerprint"`
		Queries     int             `json:"queries"`
		Matched     int             `json:"matched"` // queries with a match in the gallery
		Splits      []splitDocument `json:"splits"`
	}{info.Source, info.Root, info.Layout, info.Fingerprint, info.Queries, info.Matched, nil}
	overlap := [...][]string{nil, info.Overlap.Query, info.Overlap.Gallery}
	for i, s := range info.Splits {
		split := splitDocument{
			Split: s.Folder, Images: s.Images, IDs: s.IDs, Cameras: s.Cameras,
			Distractors: s.Distractors, Junk: s.Junk, Ignored: s.OtherFiles(), Others: []othersDocument{},
			Unparsable: append([]string{}, s.Unparsable...), Broken: []brokenDocument{},
			Trained: append([]string{}, overlap[i]...),
		}
		for _, b := range s.Broken {
			split.Broken = append(split.Broken, brokenDocument{b.Path, b.Err.Error()})
		}
		for _, o := range s.Others {
			split.Others = append(split.Others, othersDocument(o))
		}
		document.Splits = append(document.Splits, split)
	}
	return writeJSON(w, document)
}
