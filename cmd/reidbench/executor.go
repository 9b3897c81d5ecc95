package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/reidbench/reidbench/bench"
	"github.com/reidbench/reidbench/bench/kubernetes"
	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/bench/slurm"
	"github.com/reidbench/reidbench/models"
)

// execute does the jobs of a run: here, or elsewhere.
type execute func(context.Context, bench.Config) (bench.Summary, error)

// runHere does them in this process: those of the numbers, all if there are none.
func runHere(tasks []int) execute {
	return func(ctx context.Context, config bench.Config) (bench.Summary, error) {
		stop := context.AfterFunc(ctx, func() {
			config.Progress.Report(progress.Event{
				Kind: progress.Noted, Text: "stopping, checkpoints are being written; once more stops at once",
			})
		})
		defer stop()
		return bench.Run(ctx, config, tasks...)
	}
}

// executorOptions are the flags of run that say where its jobs are done.
type executorOptions struct {
	name          string
	partition     string
	time, memory  string
	cpus, limit   int
	detach, print bool
	image, claim  string
}

// executorFlags are an executor and the flags that only some have.
type executorFlags struct {
	name  string
	flags []string
}

// executors are the values of --executor.
var executors = []executorFlags{
	{"local", []string{"jobs", "threads", "task", "await-teacher"}},
	{"slurm", []string{"partition", "time", "cpus", "mem-per-job", "array-limit", "detach"}},
	{"kubernetes", []string{"print", "image", "volume-claim", "cpus", "mem-per-job", "array-limit"}},
}

func (o *executorOptions) register(flags *pflag.FlagSet) {
	flags.StringVar(&o.name, "executor", "local", "where jobs are done: "+strings.Join(executorNames(), ", "))
	flags.StringVar(&o.partition, "partition", "", "Slurm's `partition`; none: its default")
	flags.StringVar(&o.time, "time",
		"", "Slurm's `limit` of a job, as 12:00:00 or 3-00; at its end a job goes on in another turn")
	flags.IntVar(&o.cpus, "cpus", 1, "CPUs, and threads, of a job on a cluster")
	flags.StringVar(&o.memory, "mem-per-job",
		"", "`memory` of a job on a cluster: 12G for Slurm, 12Gi for Kubernetes; none: its default")
	flags.IntVar(&o.limit, "array-limit",
		0, "jobs that a cluster does at the same time; none: as many as it has room for")
	flags.BoolVar(&o.detach, "detach", false, "submit to Slurm and do not wait; the same command without it waits")
	flags.BoolVar(&o.print, "print", false, "print the manifest for Kubernetes")
	flags.StringVar(&o.image, "image",
		"", "`image` for Kubernetes that has reidbench on its PATH; none: that of this release")
	flags.StringVar(&o.claim, "volume-claim", "reidbench", "`name` of the claim of the volume with the folders")
}

func executorNames() []string {
	return namesOf(executors, func(e executorFlags) string { return e.name })
}

// check refuses flags that the executor does not know.
func (o *executorOptions) check(c *cobra.Command) error {
	var known []string
	var err error
	for _, e := range executors {
		if e.name == o.name {
			known = e.flags
		}
	}
	if known == nil {
		return misuse("--executor %s: there are %s", o.name, strings.Join(executorNames(), ", "))
	}
	for _, e := range executors {
		for _, flag := range e.flags {
			if err == nil && c.Flags().Changed(flag) && !slices.Contains(known, flag) {
				err = misuse("--%s is for --executor %s, not %s", flag, e.name, o.name)
			}
		}
	}
	if err == nil && o.name == "kubernetes" && !o.print {
		err = misuse("--executor kubernetes only prints a manifest: add --print, and give it to kubectl")
	}
	return err
}

// run does the jobs of a command line where it says, and prints what they come to. tasks are the numbers of those to do
// here; none: all.
func (o *executorOptions) run(c *cobra.Command, config bench.Config, tasks []int, display displayOptions) error {
	work := runHere(tasks)
	switch o.name {
	case "slurm":
		var err error
		if work, err = o.slurm(c); err != nil {
			return err
		}
	case "kubernetes":
		return o.printManifest(c, config, c.OutOrStdout())
	}
	return runModels(c.Context(), work, config, tasks, display, c.OutOrStdout(), c.ErrOrStderr())
}

// slurm has Slurm do the jobs of a command line.
func (o *executorOptions) slurm(c *cobra.Command) (execute, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	flags, err := taskFlags(c, filepath.Abs)
	if err != nil {
		return nil, err
	}
	e := slurm.Executor{
		Options: slurm.Options{
			Partition: o.partition, Time: o.time, CPUs: o.cpus, Memory: o.memory, Limit: o.limit,
		},
		Program: program, Flags: flags, Detach: o.detach,
	}
	return e.Run, nil
}

// printManifest prints the jobs of a command line for Kubernetes.
func (o *executorOptions) printManifest(c *cobra.Command, config bench.Config, w io.Writer) error {
	flags, err := taskFlags(c, func(path string) (string, error) { return path, nil })
	if err != nil {
		return err
	}
	teacher, err := models.Lookup(config.Teacher)
	if err != nil {
		return err
	}
	version := describeBuild().Version
	image := cmp.Or(o.image, imageOf(version))
	if image == "" {
		return misuse("--image is missing: this build, %s, is no release, which has an image of its own", version)
	}
	return kubernetes.Manifest{
		Name: "reidbench", Image: image, Claim: o.claim,
		Models: config.Models, Seeds: config.Seeds, Teacher: teacher.Name, Flags: flags,
		CPUs: o.cpus, Memory: o.memory, Limit: o.limit,
	}.Write(w)
}

// taskFlags are the flags of a command line as every task of a cluster is to have them: in a fixed
// order, with paths as the tasks see them, and without those that say where jobs are done.
func taskFlags(c *cobra.Command, path func(string) (string, error)) ([]string, error) {
	var flags []string
	var failed error
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if !f.Changed && f.Name != "out" || slices.Contains(displayFlags, f.Name) ||
			slices.Contains([]string{"executor", "config", "dry-run", "json"}, f.Name) {
			return
		}
		for _, e := range executors {
			if slices.Contains(e.flags, f.Name) {
				return
			}
		}
		if f.Name == weightsFlag {
			files, err := mapWeights(f, path)
			if err != nil {
				failed = fmt.Errorf("--%s: %w", f.Name, err)
			}
			for _, value := range files {
				flags = append(flags, "--"+f.Name+"="+value)
			}
			return
		}
		value := f.Value.String()
		if slices.Contains([]string{"out", "data", "tensorboard"}, f.Name) && value != "" {
			var err error
			if value, err = path(value); err != nil {
				failed = fmt.Errorf("--%s: %w", f.Name, err)
			}
		}
		flags = append(flags, "--"+f.Name+"="+value)
	})
	slices.Sort(flags)
	return flags, failed
}
