package main

import (
	"fmt"

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
