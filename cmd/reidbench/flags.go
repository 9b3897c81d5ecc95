package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/reidbench/reidbench/bench"
	"github.com/reidbench/reidbench/bench/kubernetes"
	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/market1501/layout"
	"github.com/reidbench/reidbench/models"
)

// errMisuse is wrapped by errors about flags and arguments.
var errMisuse = errors.New("misuse")

// misuse is an error about the command line, in its own words only.
func misuse(format string, args ...any) error { return quietly(errMisuse, fmt.Errorf(format, args...)) }

// prepare makes whatever fails before a command's own work, and a few errors of that work, a misuse.
func prepare(command *cobra.Command) {
	for _, sub := range command.Commands() {
		prepare(sub)
	}
	if command.HasSubCommands() {
		command.Args = subcommandOnly
		command.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
		command.DisableFlagsInUseLine = true
		return
	}
	boundNumbers(command)
	completeFlags(command)
	command.Flags().SortFlags = false // they stand in an order that says something
	validate, work := command.Args, command.RunE
	command.Args = func(c *cobra.Command, args []string) error {
		if err := validate(c, args); err != nil {
			return misuse("%w", err)
		}
		if err := expandHomes(c); err != nil {
			return err
		}
		if err := c.ValidateRequiredFlags(); err != nil {
			return misuse("%w", err)
		}
		if err := c.ValidateFlagGroups(); err != nil {
			return misuse("%w", err)
		}
		return nil
	}
	command.RunE = func(c *cobra.Command, args []string) error {
		err := work(c, args)
		for _, cause := range []error{
			models.ErrUnknown, recipe.ErrUnusable, bench.ErrNoJob, store.ErrConflict, kubernetes.ErrManifest,
			gemm.ErrPrecision, layout.ErrUnknown,
		} {
			if errors.Is(err, cause) {
				return quietly(errMisuse, err)
			}
		}
		return err
	}
}

// subcommandOnly refuses arguments of a command that only has others below it.
func subcommandOnly(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	c.SuggestionsMinimumDistance = 2
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		return misuse("unknown command %q; did you mean %q?", c.CommandPath()+" "+args[0], near[0])
	}
	return misuse("unknown command %q", c.CommandPath()+" "+args[0])
}
