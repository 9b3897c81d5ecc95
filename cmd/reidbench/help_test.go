package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/reidbench/reidbench/models"
)

// commands walks the command and all below it.
func commands(c *cobra.Command, yield func(*cobra.Command)) {
	yield(c)
	for _, sub := range c.Commands() {
		if !sub.Hidden {
			commands(sub, yield)
		}
	}
}

func TestHelp(t *testing.T) {
	commands(newRootCommand(), func(c *cobra.Command) {
		t.Run(c.CommandPath(), func(t *testing.T) {
			args := strings.Fields(c.CommandPath())[1:]
			help := succeed(t, append(args, "--help")...)
			for line := range strings.Lines(help) {
				if len([]rune(line)) > 121 {
					t.Errorf("a line of %d columns: %s", len([]rune(line)), line)
				}
			}
			help = strings.Replace(help, describeRecipes(), "  (the recipes)", 1) // they have tests of their own
			golden(t, "help/"+strings.ReplaceAll(c.CommandPath(), " ", "-")+".txt", help)
		})
	})
}

// TestExamples parses each command line of every help text as if it were typed: command,
// flags, arguments, and the models among them.
func TestExamples(t *testing.T) {
	commands(newRootCommand(), func(c *cobra.Command) {
		if c.HasSubCommands() && c.HasParent() {
			return // the examples are those of the commands below it
		}
		t.Run(c.CommandPath(), func(t *testing.T) {
			lines := 0
			for line := range strings.Lines(c.Example) {
				line = strings.TrimSpace(line)
				if line == "" || strings.HasPrefix(line, "# ") {
					continue
				}
				lines++
				if err := parseExample(line); err != nil {
					t.Errorf("%s: %v", line, err)
				}
			}
			if lines == 0 {
				t.Error("no example")
			}
		})
	})
}

func parseExample(line string) error {
	line, _, _ = strings.Cut(line, " > ") // where the shell takes the output
	words := strings.Fields(strings.ReplaceAll(line, "'", ""))
	if words[0] != "reidbench" {
		return misuse("not a command line of reidbench")
	}
	c, args, err := newRootCommand().Find(words[1:])
	if err != nil {
		return err
	}
	work := c.RunE
	c.InitDefaultHelpFlag()
	if err := c.ParseFlags(args); err != nil {
		return err
	}
	args = c.Flags().Args()
	if file := c.Flags().Lookup("config"); file != nil && file.Value.String() != "" {
		if err := file.Value.Set("../../" + file.Value.String()); err != nil { // the examples are for the root
			return err
		}
	}
	if err := c.ValidateArgs(args); err != nil {
		return err
	}
	if work == nil {
		return misuse("the command does nothing")
	}
	if features := c.Flags().Lookup("from-features"); features != nil && features.Value.String() == "true" {
		return nil // the arguments are files
	}
	switch c.Name() {
	case "run":
		o := runOptions{teacher: models.DefaultTeacher}
		o.recipe.name, _ = c.Flags().GetString("recipe")
		_, err = o.config(func(string) bool { return false }, args)
	case "bench":
		_, _, err = benched(args)
	case "summary", "eval", "rank", "export":
		_, err = models.Match(args...)
	case "embed":
		_, err = models.Lookup(args[0])
	}
	return err
}

// TestExamplesRun runs those examples that need nothing and take a moment.
func TestExamplesRun(t *testing.T) {
	ran := 0
	commands(newRootCommand(), func(c *cobra.Command) {
		if !slices.Contains([]string{"list", "summary", "version"}, c.Name()) {
			return
		}
		for line := range strings.Lines(c.Example) {
			if words := strings.Fields(line); len(words) > 0 && words[0] == "reidbench" {
				succeed(t, words[1:]...)
				ran++
			}
		}
	})
	if ran < 6 {
		t.Errorf("only %d examples were run", ran)
	}
}
