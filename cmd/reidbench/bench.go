package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/reidbench/reidbench/bench/machine"
	"github.com/reidbench/reidbench/bench/measure"
	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/models"
)

// benchedByDefault is what bench measures where no model is named.
const benchedByDefault = "resnet50"

// kernelBatch is the batch of kernels, which are many.
const kernelBatch = 8

func newBenchCommand() *cobra.Command {
	var (
		config  measure.Config
		variant variantOptions
		json    bool
	)
	command := &cobra.Command{
		Use:   "bench [train|infer|kernels] [MODEL...]",
		Short: "Measure how fast training, inference and single kernels are",
		Long: `Bench measures training steps (the default), inference, or single kernels, and prints
each step in the format of Go's benchmarks: compare two files with benchstat. Beside
images per second stand GFLOP/s (2 per multiply-add of the plain sums, a training step
being three forward passes), their share of the fp32 multiply-add peak measured in the
same run, and planned and actual peak memory. Winograd's and Strassen's forms do with
fewer multiplications than the plain sums, so that the share can exceed 1.

Kernels are the convolutions, linear layers and attentions of the models named, each
shape and direction by itself; they are grouped by the models that have them. Beside
each stands what bounds it: the multiply-add peak, or the memory bandwidth measured in
the same run, if every operand is read or written once. Where no model is named, it is
all rows of the published table, with --batch ` + strconv.Itoa(kernelBatch) + ` unless that is set; it takes minutes.

--profile adds, for models, where one step's time goes; a fused activation or sum
counts as part of its layer. Where no model is named, it is ` + benchedByDefault + `.

--simulate-threads records how long each task of a step takes on one thread, cut as for
other numbers of threads, and shares the tasks out to so many as the kernels' pool does:
the parallel efficiency, the longest serial part, and what has too few tasks. It takes
four steps for each number. Memory bandwidth and the start of threads are not in it.`,
		Example: `  reidbench bench train resnet50 --batch 32
  reidbench bench train osnet --profile
  reidbench bench train vit-b16 --precision bf16
  reidbench bench train resnet50 --batch 64 --simulate-threads 4,8,16,32,64
  reidbench bench train resnet50 --last-stride 1 --bnneck
  reidbench bench infer 'mobilenet*' --json
  reidbench bench kernels --threads 1 > new.txt
  reidbench bench kernels osnet --batch 32 --json`,
		ValidArgsFunction: completeBenched,
		Args:              cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			err := config.Precision.Available()
			if err != nil {
				return err
			}
			if config.Mode, config.Models, err = benched(args); err != nil {
				return err
			}
			if config.Models, err = variant.of(config.Models...); err != nil {
				return err
			}
			if err := checkSimulated(config.Simulate); err != nil {
				return err
			}
			if config.Mode == measure.KernelMode && len(config.Simulate) > 0 {
				return misuse("--simulate-threads is for the steps of models")
			}
			if config.Mode == measure.KernelMode && !c.Flags().Changed("batch") {
				config.Batch = kernelBatch
			}
			stdout := c.OutOrStdout()
			if json {
				config.Report = func(m measure.Measurement) {
					warnOfOtherWork(c.ErrOrStderr(), m)
					fmt.Fprintf(c.ErrOrStderr(), "%s %s: %.1f img/s\n", m.Mode, m.Model, m.ImagesPerSecond)
				}
				measurements, err := measure.Run(c.Context(), config)
				if err != nil {
					return err
				}
				return writeJSON(stdout, measurements)
			}
			if err := measure.WriteHeader(stdout, machine.Describe()); err != nil {
				return err
			}
			var writeErr error
			var group []string // the models of the kernels at hand
			config.Report = func(m measure.Measurement) {
				warnOfOtherWork(c.ErrOrStderr(), m)
				if writeErr == nil && !slices.Equal(m.Models, group) {
					group = m.Models
					writeErr = measure.WriteModels(stdout, group)
				}
				if writeErr == nil {
					writeErr = measure.WriteBenchmark(stdout, m)
				}
				if writeErr == nil && m.Profile != nil {
					writeErr = writeProfile(stdout, m.Profile)
				}
				if writeErr == nil && m.Simulation != nil {
					writeErr = writeSimulation(stdout, m.Simulation)
				}
			}
			if _, err := measure.Run(c.Context(), config); err != nil {
				return err
			}
			return writeErr
		},
	}
	flags := command.Flags()
	flags.IntVar(&config.Batch, "batch", recipe.DefaultBatch, "images in a step")
	variant.register(flags, "")
	flags.IntVar(&config.Threads, "threads", 0, "threads; none: one per CPU")
	flags.IntVar(&config.Steps, "steps", 6, "steps that are measured, after one that is not")
	flags.TextVar(&config.Precision, "precision", gemm.FP32, precisionUsage)
	flags.BoolVar(&config.Profile, "profile", false, "tell where one step's time goes, by operation and by layer")
	flags.IntSliceVar(&config.Simulate, "simulate-threads", nil, "`numbers` of threads to simulate a step with")
	flags.BoolVar(&json, "json", false, "write JSON: each model's median")
	return command
}

// warnOfOtherWork says so where a measurement was disturbed.
func warnOfOtherWork(w io.Writer, m measure.Measurement) {
	if taken := m.WaitedShare.Disturbed(); taken != "" {
		fmt.Fprintf(w, "warning: %s is faster than this: threads waited for other work %s\n", m.Model, taken)
	}
}

// benched tells the mode and the models that the arguments of bench name.
func benched(args []string) (measure.Mode, []models.Model, error) {
	mode := measure.TrainMode
	if len(args) > 0 && slices.Contains(measure.Modes(), measure.Mode(args[0])) {
		mode, args = measure.Mode(args[0]), args[1:]
	}
	if len(args) == 0 && mode == measure.KernelMode {
		return mode, models.Rows(), nil
	}
	if len(args) == 0 {
		args = []string{benchedByDefault}
	}
	list, err := models.Match(args...)
	return mode, list, err
}

// profileRows is how many lines of each part of a profile are shown.
const profileRows = 25

// writeProfile prints the operations and the layers that take the most time.
func writeProfile(w io.Writer, p *measure.Profile) error {
	for _, part := range []struct {
		title string
		rows  []measure.ProfileRow
	}{{"Operation", p.Ops}, {"Layer", p.Layers}} {
		var rows [][]string
		for _, r := range part.rows[:min(profileRows, len(part.rows))] {
			name := r.Op
			if r.Layer != "" {
				name = r.Layer + " (" + r.Op + ")"
			}
			speed := ""
			if r.GFLOPS > 0 {
				speed = fmt.Sprintf("%.0f", r.GFLOPS)
			}
			rows = append(rows, []string{
				name, r.Phase.String(), fmt.Sprintf("%.2f", float64(r.Time.Microseconds())/1000),
				fmt.Sprintf("%.1f", 100*r.Share), speed,
			})
		}
		columns := []column{
			{Title: part.title, Left: true}, {Title: "Phase", Left: true}, {Title: "ms"},
			{Title: "% of the step", Yields: 1}, {Title: "GFLOP/s", Yields: 2},
		}
		fmt.Fprintln(w)
		if err := writeTable(w, columns, rows, nil); err != nil {
			return err
		}
		if left := len(part.rows) - len(rows); left > 0 {
			fmt.Fprintf(w, "… and %d more\n", left)
		}
	}
	return nil
}
