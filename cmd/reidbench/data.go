package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/results/visible"
)

func newDataCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "data",
		Short: "Draw a synthetic dataset, or examine one",
	}
	command.AddCommand(newDataSynthCommand(), newDataInfoCommand())
	return command
}

func newDataSynthCommand() *cobra.Command {
	var (
		config  market1501.SynthConfig
		threads int
	)
	command := &cobra.Command{
		Use:   "synth --out DIR",
		Short: "Draw synthetic pedestrians in Market-1501's layout",
		Long: `Synth draws a dataset of pedestrians as JPEG files in Market-1501's layout and with
its names: identities with their own body, clothes and bags, seen by cameras with
their own light and angle. Training and test share no identity. The folder appears
whole or not at all; the same numbers give the same bytes.`,
		Example: `  reidbench data synth --out data/synthetic --ids 100 --images 12 --seed 1`,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if config.TestIDs >= config.IDs {
				return misuse("--test-ids %d: some of the %d identities have to be trained on",
					config.TestIDs, config.IDs)
			}
			config.Workers = threads
			progress, stop := newCounter(c.ErrOrStderr(), "drawing")
			config.Progress = progress
			err := market1501.Synthesize(c.Context(), config)
			stop()
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "drew %d identities into %s\n", config.IDs, visible.Line(config.Dir))
			return nil
		},
	}
	flags := command.Flags()
	flags.StringVar(&config.Dir, "out", "", "`folder` to draw into; must not exist, or be empty")
	flags.IntVar(&config.IDs, "ids", 100, "identities")
	flags.IntVar(&config.TestIDs, "test-ids", 0, "identities that are tested, not trained on; none: half of them")
	flags.IntVar(&config.ImagesPerID, "images", 12, "images of each identity")
	flags.Uint64Var(&config.Seed, "seed", 1, "seed of everything that is drawn")
	flags.IntVar(&threads, "threads", 0, "images drawn at once; none: one per CPU")
	_ = command.MarkFlagRequired("out")
	return command
}

func newDataInfoCommand() *cobra.Command {
	var (
		threads int
		json    bool
	)
	command := &cobra.Command{
		Use:   "info DIR",
		Short: "Count a dataset and look for broken images",
		Long: `Info decodes every image of a dataset in Market-1501's layout and counts images,
identities, cameras, junk and distractors of each split. Files that are broken or
whose name does not parse are listed, and so are images of query and gallery that are
training images as well; the exit code is 1 then.`,
		Example: `  reidbench data info Market-1501-v15.09.15
  reidbench data info data/synthetic --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			dir, err := expandHome(args[0])
			if err != nil {
				return err
			}
			dataset, err := market1501.Open(dir)
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
	switch {
	case bad > 0 && both > 0:
		return found("%d files of %s cannot be used, and %d test images are training images", bad, info.Root, both)
	case bad > 0:
		return found("%d files of %s cannot be used", bad, info.Root)
	case both > 0:
		return found("%d test images of %s are training images", both, info.Root)
	}
	return nil
}

func printDataset(w io.Writer, info *market1501.Info) error {
	fmt.Fprintf(w, "%s\nfingerprint %s\n\n", visible.Line(info.Root), info.Fingerprint)
	columns := []column{
		{title: "Split", left: true}, {title: "Images"}, {title: "Identities"}, {title: "Cameras"},
		{title: "Distractors"}, {title: "Junk"}, {title: "Broken"}, {title: "Unparsable"}, {title: "Other files"},
	}
	var rows [][]string
	for _, s := range info.Splits {
		row := []string{s.Folder}
		for _, n := range []int{
			s.Images, s.IDs, s.Cameras, s.Distractors, s.Junk, len(s.Broken), len(s.Unparsable), s.Ignored,
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
	Unparsable  []string         `json:"unparsable"`
	Broken      []brokenDocument `json:"broken"`
	Trained     []string         `json:"trained"` // that are training images as well
}

type brokenDocument struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

func writeDatasetJSON(w io.Writer, info *market1501.Info) error {
	document := struct {
		Root        string          `json:"root"`
		Fingerprint string          `json:"fingerprint"`
		Splits      []splitDocument `json:"splits"`
	}{Root: info.Root, Fingerprint: info.Fingerprint}
	overlap := [...][]string{nil, info.Overlap.Query, info.Overlap.Gallery}
	for i, s := range info.Splits {
		split := splitDocument{
			Split: s.Folder, Images: s.Images, IDs: s.IDs, Cameras: s.Cameras,
			Distractors: s.Distractors, Junk: s.Junk, Ignored: s.Ignored,
			Unparsable: append([]string{}, s.Unparsable...), Broken: []brokenDocument{},
			Trained: append([]string{}, overlap[i]...),
		}
		for _, b := range s.Broken {
			split.Broken = append(split.Broken, brokenDocument{b.Path, b.Err.Error()})
		}
		document.Splits = append(document.Splits, split)
	}
	return writeJSON(w, document)
}
