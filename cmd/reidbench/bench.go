package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/reidbench/reidbench/bench"
	"github.com/reidbench/reidbench/models"
)

// benchedByDefault is what bench measures where no model is named.
const benchedByDefault = "resnet50"

func newBenchCommand() *cobra.Command {
	var (
		config bench.MeasureConfig
		json   bool
	)
	command := &cobra.Command{
		Use:   "bench [train|infer|kernels] [MODEL...]",
		Short: "Measure how fast training, inference and single kernels are",
		Long: `Bench measures training steps (the default), inference, or single kernels, and prints
each step in the format of Go's benchmarks: compare two files with benchstat. Beside
images per second stand GFLOP/s (2 per multiply-add, a training step being three
forward passes), their share of the multiply-add peak measured in the same run, and
planned and actual peak memory. Where no model is named, it is ` + benchedByDefault + `.`,
		Example: `  reidbench bench train resnet50 --batch 32
  reidbench bench infer 'mobilenet*' --json
  reidbench bench kernels --threads 1 --steps 10 > new.txt`,
		ValidArgsFunction: completeModels,
		Args:              cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if err := positive(c, "batch", "threads", "steps"); err != nil {
				return err
			}
			var err error
			if config.Mode, config.Models, err = benched(args); err != nil {
				return err
			}
			stdout := c.OutOrStdout()
			if json {
				config.Report = func(m bench.Measurement) {
					fmt.Fprintf(c.ErrOrStderr(), "%s %s: %.1f img/s\n", m.Mode, m.Model, m.ImagesPerSecond)
				}
				measurements, err := bench.Measure(c.Context(), config)
				if err != nil {
					return err
				}
				return writeJSON(stdout, measurements)
			}
			if err := bench.WriteHeader(stdout, bench.DescribeMachine()); err != nil {
				return err
			}
			var writeErr error
			config.Report = func(m bench.Measurement) {
				if writeErr == nil {
					writeErr = bench.WriteBenchmark(stdout, m)
				}
			}
			if _, err := bench.Measure(c.Context(), config); err != nil {
				return err
			}
			return writeErr
		},
	}
	flags := command.Flags()
	flags.IntVar(&config.Batch, "batch", 32, "images in a step")
	flags.IntVar(&config.Threads, "threads", 0, "threads; none: one per CPU")
	flags.IntVar(&config.Steps, "steps", 6, "steps that are measured, after one that is not")
	flags.BoolVar(&json, "json", false, "write JSON: each model's median")
	return command
}

// benched tells the mode and the models that the arguments of bench name.
func benched(args []string) (bench.Mode, []models.Model, error) {
	mode := bench.TrainMode
	if len(args) > 0 && slices.Contains(bench.Modes(), bench.Mode(args[0])) {
		mode, args = bench.Mode(args[0]), args[1:]
	}
	if mode == bench.KernelMode {
		if len(args) > 0 {
			return mode, nil, misuse("bench kernels measures no models, but %q is given", args[0])
		}
		return mode, nil, nil
	}
	if len(args) == 0 {
		args = []string{benchedByDefault}
	}
	list, err := models.Match(args...)
	return mode, list, err
}
