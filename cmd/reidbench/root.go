package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/reidbench/reidbench/bench"
	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/results/visible"
)

// Exit codes of every command.
const (
	exitOK     = 0
	exitFound  = 1 // a job failed, figures drifted, files are broken, an interruption …
	exitMisuse = 2 // the command line cannot be followed; nothing has been done

	// exitContinue is EX_TEMPFAIL of sysexits.h: schedulers take it for "try again".
	exitContinue = 75 // SIGTERM or SIGHUP came before the end; the same command goes on
)

// errTerminated is the cause of the end of a context that SIGTERM or SIGHUP has ended.
var errTerminated = errors.New("terminated")

// errFound is wrapped by the error of a command that did its work and found something wrong.
var errFound = errors.New("found something wrong")

// found is an error about what a command has found, in its own words only.
func found(format string, args ...any) error { return quietly(errFound, fmt.Errorf(format, args...)) }

// classified is an error of a class whose name is not part of its text.
type classified struct{ class, err error }

func quietly(class, err error) error { return &classified{class, err} }

func (c *classified) Error() string   { return c.err.Error() }
func (c *classified) Unwrap() []error { return []error{c.class, c.err} }

// run executes a command line, given without the program's name, and returns the exit code.
// If ctx ends, work under way stops cleanly.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	goesOn := errors.Is(err, bench.ErrInterrupted)
	interrupted := goesOn || errors.Is(err, context.Canceled) && ctx.Err() != nil
	if interrupted && !goesOn {
		err = errors.New("interrupted; nothing unfinished is left behind, the same command starts anew")
	}
	fmt.Fprintf(stderr, "reidbench: %s\n", strings.ReplaceAll(visible.Text(err.Error()), "\n", "\n  "))
	switch {
	case errors.Is(err, errMisuse):
		fmt.Fprintf(stderr, "See %q.\n", command.CommandPath()+" --help")
		return exitMisuse
	case interrupted && errors.Is(context.Cause(ctx), errTerminated):
		return exitContinue
	}
	return exitFound
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "reidbench",
		Short: "Which backbone for person re-identification, and what does it cost?",
		Long: `Which backbone should I use for person re-identification, and what does it cost?

Reidbench trains and evaluates the 34 backbones of one published comparison under one
recipe on Market-1501, counts their parameters and multiply-adds, and prints the
comparison: our figures beside the published ones.

Exit codes: 0 all is well; 1 something went wrong or was found wrong (a job failed,
figures drifted, files are broken, Ctrl-C); 2 the command line cannot be followed;
75 SIGTERM or SIGHUP came before the end, the same command goes on.

REIDBENCH_ISA=avx512|avx2|generic chooses the kernels' instruction set.`,
		Example: `  # train and evaluate every row on synthetic pedestrians, in minutes
  reidbench run all

  # the same on Market-1501, as published
  reidbench run all --data Market-1501-v15.09.15 --recipe paper`,
		SilenceErrors: true, // run prints them
		SilenceUsage:  true,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if err := isa.EnvError(); err != nil {
				return misuse("%w", err)
			}
			return nil
		},
	}
	root.AddCommand(
		newRunCommand(), newStatusCommand(), newReportCommand(), newServeCommand(), newPlotCommand(),
		newListCommand(), newChooseCommand(), newSummaryCommand(), newCheckCommand(),
		newEvalCommand(), newCompareCommand(), newRankCommand(), newEmbedCommand(),
		newDataCommand(), newWeightsCommand(),
		newMeasureCommand(), newBenchCommand(), newCompletionCommand(), newVersionCommand(),
	)
	cobra.EnableCommandSorting = false
	// a command that has others below it does nothing itself
	root.SetUsageTemplate(strings.Replace(root.UsageTemplate(),
		"{{if .Runnable}}", "{{if and .Runnable (not .HasAvailableSubCommands)}}", 1))
	root.SetHelpCommand(newHelpCommand())
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		if c.HasSubCommands() && c.Flags().NArg() > 0 {
			return subcommandOnly(c, c.Flags().Args()) // a misspelt command's flags are not what is wrong
		}
		return misuse("%w", err)
	})
	prepare(root)
	return root
}

// newHelpCommand is cobra's own, except that an unknown topic is a misuse.
func newHelpCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "help [COMMAND]",
		Short:  "Explain a command",
		Hidden: true,
		RunE: func(c *cobra.Command, args []string) error {
			command, rest, err := c.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return misuse("there is no help about %q", strings.Join(args, " "))
			}
			command.InitDefaultHelpFlag()
			return command.Help()
		},
	}
}
