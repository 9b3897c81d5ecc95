package main

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/reidbench/reidbench/bench"
	"github.com/reidbench/reidbench/bench/measure"
	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/market1501/layout"
	"github.com/reidbench/reidbench/models"
)

// A shell is one whose completion cobra writes.
type shell struct {
	name  string
	write func(root *cobra.Command, w io.Writer) error
}

var shells = []shell{
	{"bash", func(root *cobra.Command, w io.Writer) error { return root.GenBashCompletionV2(w, true) }},
	{"zsh", (*cobra.Command).GenZshCompletion},
	{"fish", func(root *cobra.Command, w io.Writer) error { return root.GenFishCompletion(w, true) }},
	{"powershell", (*cobra.Command).GenPowerShellCompletionWithDesc},
}

func newCompletionCommand() *cobra.Command {
	names := namesOf(shells, func(s shell) string { return s.name })
	return &cobra.Command{
		Use:   "completion " + strings.Join(names, "|"),
		Short: "Print a script by which a shell completes command lines",
		Long: `Completion prints a script for a shell. Once the shell has read it, Tab completes
commands, flags, models and, where there are few, the values of flags:

  source <(reidbench completion bash)                                bash, which needs its
                                                                     package bash-completion
  source <(reidbench completion zsh)                                 zsh, after "autoload -U
                                                                     compinit; compinit"
  reidbench completion fish | source                                 fish
  reidbench completion powershell | Out-String | Invoke-Expression   PowerShell

The same line in .bashrc, .zshrc, config.fish or $PROFILE does so in every one.`,
		Example: `  # in every bash, fish and zsh from now on, the last with ~/.zfunc in its fpath
  reidbench completion bash > ~/.local/share/bash-completion/completions/reidbench
  reidbench completion fish > ~/.config/fish/completions/reidbench.fish
  reidbench completion zsh > ~/.zfunc/_reidbench`,
		Args:      cobra.ExactArgs(1),
		ValidArgs: names,
		RunE: func(c *cobra.Command, args []string) error {
			for _, s := range shells {
				if s.name == args[0] {
					return s.write(c.Root(), c.OutOrStdout())
				}
			}
			return misuse("there is no completion for %q, only for %s", args[0], strings.Join(names, ", "))
		},
	}
}

func modelNames() []string {
	return namesOf(models.All(), func(m models.Model) string { return m.Name })
}

// completeModels offers the names of models to a shell's completion.
func completeModels(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return modelNames(), cobra.ShellCompDirectiveNoFileComp
}

// completeRows offers models, and all rows of the tables.
func completeRows(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return append([]string{"all"}, modelNames()...), cobra.ShellCompDirectiveNoFileComp
}

// completeBenched offers what bench measures, then models.
func completeBenched(c *cobra.Command, args []string, text string) ([]string, cobra.ShellCompDirective) {
	names, directive := completeRows(c, args, text)
	if len(args) == 0 {
		names = append(namesOf(measure.Modes(), func(m measure.Mode) string { return string(m) }), names...)
	}
	return names, directive
}

// completeModelThenFiles is for commands that take a model first.
func completeModelThenFiles(c *cobra.Command, args []string, text string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return completeModels(c, args, text)
}

// completeModelsAndFiles is for arguments that are either.
func completeModelsAndFiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return modelNames(), cobra.ShellCompDirectiveDefault
}

// completeFlags has the values of a command's flags offered where there are few; others are completed as files.
// A flag means the same in every command that has it.
func completeFlags(c *cobra.Command) {
	for flag, values := range map[string][]string{
		"ap":        {apHits, apTrapezoid},
		"choose":    namesOf(bench.Choices(), func(c bench.Choice) string { return string(c) }),
		"executor":  executorNames(),
		"layout":    namesOf(layout.All(), func(l layout.Layout) string { return l.Name }),
		"metric":    {market1501.Euclidean.String(), market1501.Cosine.String()},
		"optimizer": {train.Adam.String(), train.AdamW.String(), train.SGD.String()},
		"precision": {gemm.FP32.String(), gemm.BF16.String()},
		"recipe":    namesOf(recipe.All(), func(r recipe.Recipe) string { return r.Name }),
		"sampler":   {market1501.Shuffled.String(), market1501.Identities.String()},
		"schedule":  {recipe.Steps.String(), recipe.Cosine.String()},
		"teacher":   modelNames(),
		"triplet":   {"soft", "none"},
	} {
		if c.Flags().Lookup(flag) != nil {
			offered := cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)
			_ = c.RegisterFlagCompletionFunc(flag, offered) // fails for a flag that is not there
		}
	}
}

// namesOf are what the elements of a list are called.
func namesOf[T any](list []T, name func(T) string) []string {
	var names []string
	for _, element := range list {
		names = append(names, name(element))
	}
	return names
}
