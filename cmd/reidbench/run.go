package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/reidbench/reidbench/bench"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results"
)

// defaultRuns is the folder of runs where none is named.
const defaultRuns = "runs"

// runOptions are the flags of run.
type runOptions struct {
	data, layout, out, teacher string
	tensorBoard                string
	recipe                     recipeOptions
	weights                    bench.WeightsFiles
	source                     bench.WeightsSource
	seed                       uint64
	seeds, threads, jobs       int
	executor                   executorOptions
	tasks                      []int
	awaitTeacher, untimed      bool
	protocol                   protocolOptions
	checkpoints                bench.Checkpoints
	dryRun, json               bool
	display                    displayOptions
}

func newRunCommand() *cobra.Command {
	var o runOptions
	command := &cobra.Command{
		Use:   "run all | MODEL...",
		Short: "Train and evaluate models, and print the table",
		Long: `Run trains each model in the two stages of a recipe, evaluates it by the protocol of
Market-1501, and prints the published accuracies against what the models cost here, and
what the runs have come to: beside the published, with the difference, where like is
compared with like (Market-1501's own images, the paper's recipe) or with --compare.
The first plot is drawn into OUT/plots; "reidbench plot" draws them all.

MODEL is a name of "reidbench list --all" or a wildcard for several; "all" stands for
the rows of the published tables. Where no dataset is given, one is drawn: synthetic
pedestrians in Market-1501's layout. With --seeds 3 each model runs three times, with
three seeds; OUT/osnet is the first run's folder, OUT/osnet@2 and OUT/osnet@3 the others'.

Ctrl-C stops cleanly. The same command goes on from there, redoes nothing that is
finished, and ends with the same bits; after a crash, too, from the newest checkpoint.
SIGTERM and SIGHUP do, with exit code 75: run the same command again. A model that
fails is recorded with its reason while the others go on; the exit code is 1 then. With
a larger --epochs, what is finished goes on too, and ends as if it had begun so, unless
a budget ended it.

With --weights training begins with them: FILE is safetensors or PyTorch's .pth, a
folder has files whose names begin with their model's. A note says what was left out.

Results do not depend on --threads and --jobs, nor on what becomes of checkpoints. Side
by side run as many models as memory and threads allow; one that does not fit at all is
refused. A folder belongs to one process at a time.

After its training each model runs forward for some seconds, and its record says what
using it costs, as "reidbench measure" prints it; not with --untimed, nor side by side.

With --executor slurm each job is a task of a Slurm array, and --out a folder that all
nodes share. The command waits and prints the same table; Ctrl-C leaves the tasks in
Slurm, and the same command attaches to them and submits again what has died.

Recipes:
` + describeRecipes(),
		Example: `  # every row of the tables, on synthetic pedestrians
  reidbench run all

  # three models on Market-1501 as published, two side by side
  reidbench weights fetch all --out pretrained
  reidbench run osnet resnet50 'mobilenetv3*' --data Market-1501-v15.09.15 --recipe paper --weights pretrained --jobs 2

  # how long will that take here?
  reidbench run all --data Market-1501-v15.09.15 --recipe paper --dry-run

  # a longer training, kept apart from the others
  reidbench run osnet --epochs 30 --batch 32 --lr 3e-4 --seed 7 --out runs-osnet

  # beginning with published weights: pretrained/osnet_x1_0.pth, pretrained/resnet50-0676ba61.pth
  reidbench run osnet resnet50 --weights pretrained

  # the same, file by file
  reidbench run osnet resnet50 --weights osnet=model.pth.tar-60 --weights resnet50=imagenet.pth

  # curves in TensorBoard, while it runs: tensorboard --logdir curves
  reidbench run osnet --tensorboard curves

  # every row learns something, for hours
  reidbench run all --recipe scratch --untimed --out runs-scratch

  # everything that a command line can say, in a file
  reidbench run --config docs/bench.yaml --seeds 5

  # a task per model on a Slurm cluster; the same line again attaches to them
  reidbench run all --data Market-1501-v15.09.15 --recipe paper --executor slurm --cpus 16 --mem-per-job 24G --time 2-00

  # the same as Jobs of Kubernetes, for kubectl
  reidbench run all --recipe paper --executor kubernetes --print --image registry.example/reidbench > jobs.yaml

  # does everything work here?
  reidbench run mobilenetv3-small --recipe tiny --out /tmp/runs`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeRows,
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.executor.check(c); err != nil {
				return err
			}
			if err := o.display.check(); err != nil {
				return err
			}
			if o.json && !o.dryRun {
				return misuse("--json is for --dry-run; see \"report --json\" for results")
			}
			config, err := o.config(c.Flags().Changed, args)
			if err != nil {
				return err
			}
			if len(o.tasks) == 0 {
				adviseWeights(config, c.ErrOrStderr())
			}
			if o.dryRun {
				return dryRun(c.Context(), config, o.tasks, o.json, c.OutOrStdout(), c.ErrOrStderr())
			}
			return o.executor.run(c, config, o.tasks, o.display)
		},
	}
	flags := command.Flags()
	registerData(command, &o.data, &o.layout)
	flags.Lookup("data").Usage += "; none: synthetic data"
	o.recipe.register(flags)
	flags.Uint64Var(&o.seed, "seed", 1, "seed of everything that is drawn at random")
	flags.IntVar(&o.seeds, "seeds", 1, "runs of each model, with this seed and the following")
	o.protocol.register(command)
	o.protocol.registerAP(command)
	flags.Lookup("metric").Usage = "`name` of the distance of embeddings: euclidean or cosine, in place of the recipe's"
	flags.Lookup("metric").DefValue = "" // it is the recipe's
	flags.StringVar(&o.teacher, "teacher",
		strings.ToLower(models.DefaultTeacher), "`model` that distilled rows learn from")
	registerWeights(flags, &o.weights,
		"`folder`, file or MODEL=FILE of weights to begin with; several times; none: random ones")
	flags.Var((*weightsSource)(&o.source), weightsSourceFlag, sourceUsage)
	flags.IntVar(&o.threads, "threads", 0, "threads of all jobs together; none: one per CPU")
	flags.IntVar(&o.jobs, "jobs", 1, "models trained side by side, at most")
	flags.DurationVar(&o.checkpoints.Interval, "checkpoint-interval", 10*time.Minute,
		"the longest `time` without a checkpoint; 0: only those of the recipe")
	flags.IntVar(&o.checkpoints.Newest, "keep", 2, "newest checkpoints that stay until the model is done")
	flags.IntVar(&o.checkpoints.Every, "keep-every",
		0, "`epochs` after which a checkpoint stays for good, in place of the recipe's; 0: none")
	flags.StringVar(&o.out, "out", defaultRuns, "`folder` of the runs, one folder per model and seed in it")
	flags.StringVar(&o.tensorBoard, "tensorboard",
		"", "`folder` of event files for TensorBoard, one folder per model and seed in it")
	flags.BoolVar(&o.dryRun, "dry-run",
		false, "only print the plan: jobs, epochs, memory, and the time by a few measured steps")
	flags.BoolVar(&o.json, "json", false, "write the plan of --dry-run as JSON")
	flags.IntSliceVar(&o.tasks, "task",
		nil, "only the jobs of these `numbers`, from 0, seed by seed: what a cluster's tasks are told")
	flags.BoolVar(&o.awaitTeacher, "await-teacher",
		false, "a distilled model's job waits for its teacher, which another process trains")
	flags.BoolVar(&o.untimed, "untimed",
		false, "measure nothing for the records: other work runs beside this, or at a higher priority")
	o.display.register(flags)
	o.executor.register(flags)
	acceptConfig(command, "models")
	return command
}

// config resolves flags and arguments. given reports whether a flag is on the command line.
func (o runOptions) config(given func(flag string) bool, patterns []string) (bench.Config, error) {
	list, err := models.Match(patterns...)
	if err != nil {
		return bench.Config{}, err
	}
	chosen, err := o.recipe.recipe(given)
	if err != nil {
		return bench.Config{}, err
	}
	protocol, err := o.protocol.protocol(given)
	if err != nil {
		return bench.Config{}, err
	}
	if !given("metric") {
		protocol.Metric = chosen.Evaluation.Metric
	}
	chosen.Evaluation = protocol
	if !given("keep-every") {
		o.checkpoints.Every = chosen.CheckpointEvery
	}
	if o.checkpoints.Interval < 0 {
		return bench.Config{}, misuse("--checkpoint-interval %v: must not be negative", o.checkpoints.Interval)
	}
	if o.layout != "" && o.data == "" {
		return bench.Config{}, misuse("--layout says nothing without --data")
	}
	if _, err := models.Lookup(o.teacher); err != nil {
		return bench.Config{}, fmt.Errorf("--teacher: %w", err)
	}
	return bench.Config{
		Out: o.out, Data: o.data, Layout: o.layout, Models: list, Recipe: chosen, Seed: o.seed, Seeds: o.seeds,
		Jobs: o.jobs, Threads: o.threads, Teacher: o.teacher, Weights: o.weights, WeightsSource: o.source,
		Checkpoints: o.checkpoints, TensorBoard: o.tensorBoard,
		AwaitTeacher: o.awaitTeacher, Untimed: o.untimed, Inference: !o.untimed,
	}, chosen.Validate()
}

// runModels runs, with progress on stderr, and prints on stdout what that has come to. Single tasks draw no plots.
func runModels(
	ctx context.Context, work execute, config bench.Config, tasks []int, display displayOptions,
	stdout, stderr io.Writer,
) error {
	progress, stop := newProgress(stderr)
	config.Progress = progress
	summary, err := work(ctx, config)
	stop()
	if summary.Count(results.StateDone)+summary.Count(results.StateFailed) == 0 {
		return err
	}
	return errors.Join(err, printRun(config, summary, tasks, display, stdout))
}

func printRun(config bench.Config, summary bench.Summary, tasks []int, display displayOptions, w io.Writer) error {
	report, err := loadReport(config.Out)
	if err != nil {
		return err
	}
	for _, j := range summary.Jobs {
		if j.State == results.StateFailed {
			report.Fail(j.Model.Row)
		}
	}
	display.apply(report)
	all := *report
	all.Tables = slices.Clone(report.Tables)
	keepModels(report, summary)
	fmt.Fprintln(w)
	if err := report.Text(w, display.layout(w)); err != nil || len(tasks) > 0 {
		return err
	}
	if err := writePlots(&all, config.Out, w); err != nil {
		return err
	}
	return writeNext(config, w)
}

// keepModels leaves out the report's lines that a run was not about.
func keepModels(report *results.Report, summary bench.Summary) {
	ran := map[string]bool{}
	for _, j := range summary.Jobs {
		ran[j.Model.Name] = true
		ran[j.Model.Row] = true
	}
	for i := range report.Tables {
		t := &report.Tables[i]
		t.Lines = slices.DeleteFunc(slices.Clone(t.Lines), func(l results.Line) bool {
			if l.Published != nil {
				return !ran[l.Published.Name]
			}
			return !ran[l.Model]
		})
	}
	report.Tables = slices.DeleteFunc(report.Tables, func(t results.ReportTable) bool { return len(t.Lines) == 0 })
}
