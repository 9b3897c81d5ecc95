package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/reidbench/reidbench/flops"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results/regular"
)

func newCheckCommand() *cobra.Command {
	var (
		update bool
		file   string
	)
	command := &cobra.Command{
		Use:   "check",
		Short: "Compare every model's params and MACs with the committed figures",
		Long: `Check counts every model's parameters and multiply-adds from its layer graph and
compares them with the figures that were committed. On any difference it prints a
diff (- committed, + counted) and exits with 1.

The figures are those that were built in, or those of --file. With --update they are
rewritten instead: --file, or flops/figures.json of the source tree around the current
folder; build again for the new ones to be built in.`,
		Example: `  reidbench check

  # after a change that is meant to move the figures, in the source tree
  reidbench check --update`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if update {
				return updateFigures(c, file)
			}
			list := models.All()
			diff, err := flops.Check(list)
			if file != "" {
				diff, err = flops.CheckFile(file, list)
			}
			if err != nil {
				return err
			}
			if diff == "" {
				fmt.Fprintf(c.OutOrStdout(), "params and MACs of %d models are as committed\n", len(list))
				return nil
			}
			// cmp.Diff mixes two kinds of blanks so that nobody relies on its output.
			fmt.Fprint(c.OutOrStdout(), strings.ReplaceAll(diff, "\u00a0", " "))
			return found("params or MACs have drifted (- committed, + counted)")
		},
	}
	command.Flags().BoolVar(&update, "update", false, "rewrite the figures")
	command.Flags().StringVar(&file, "file", "", "`file` of the figures, in place of those built in")
	return command
}

func updateFigures(c *cobra.Command, file string) error {
	if file == "" {
		root, err := sourceTree()
		if err != nil {
			return err
		}
		file = filepath.Join(root, "flops", "figures.json")
	}
	if err := flops.Update(file, models.All()); err != nil {
		return err
	}
	fmt.Fprintf(c.OutOrStdout(), "wrote %s\n", file)
	return nil
}

// sourceTree is the root of this module around the current folder.
func sourceTree() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		module, err := regular.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(module), "module github.com/reidbench/reidbench\n") {
			return dir, nil
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", misuse("--update: not in reidbench's source tree; name the figures with --file")
		}
		dir = parent
	}
}
