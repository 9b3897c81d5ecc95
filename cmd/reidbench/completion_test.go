package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestCompletion asks as a shell's script does. The last line of an answer says whether files are offered, too.
func TestCompletion(t *testing.T) {
	const files, noFiles = ":0", ":4"
	for _, test := range []struct {
		line string // what is typed, with what Tab is pressed after in place of the last word
		want []string
		end  string
	}{
		{"com", []string{"compare", "completion"}, noFiles},
		{"run osn", []string{"osnet", "osnet_x0_25"}, noFiles},
		{"run a", []string{"all", "alexnet"}, noFiles},
		{"run --reci", []string{"--recipe"}, noFiles},
		{"run osnet --recipe ", []string{"quick", "paper", "tiny"}, noFiles},
		{"run osnet --schedule=", []string{"cosine", "steps"}, noFiles},
		{"run osnet --executor ", []string{"local", "slurm", "kubernetes"}, noFiles},
		{"run osnet --out ", nil, files},
		{"eval osnet --layout ", []string{"market1501", "msmt17"}, noFiles},
		{"embed osn", []string{"osnet"}, noFiles},
		{"embed osnet ", nil, files},
		{"compare osn", []string{"osnet"}, files},
		{"bench ", []string{"train", "kernels", "all", "osnet"}, noFiles},
		{"bench train osn", []string{"osnet"}, noFiles},
		{"weights inspect ", nil, files},
		{"completion ", []string{"bash", "zsh", "fish", "powershell"}, noFiles},
	} {
		words := append([]string{cobra.ShellCompRequestCmd}, strings.Split(test.line, " ")...)
		var offered []string
		for line := range strings.Lines(succeed(t, words...)) {
			word, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
			offered = append(offered, word)
		}
		for _, want := range test.want {
			if !slices.Contains(offered, want) {
				t.Errorf("%q is completed by %q, without %q", test.line, offered, want)
			}
		}
		if offered[len(offered)-1] != test.end {
			t.Errorf("%q is completed by %q, want %s at the end", test.line, offered, test.end)
		}
	}
}

// TestCompletedValues: what is offered as a flag's value is one.
func TestCompletedValues(t *testing.T) {
	tried := map[string]bool{}
	commands(newRootCommand(), func(c *cobra.Command) {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			complete, ok := c.GetFlagCompletionFunc(f.Name)
			if !ok {
				return
			}
			tried[f.Name] = true
			values, _ := complete(c, nil, "")
			if len(values) < 2 {
				t.Errorf("%s --%s: only %q is offered", c.CommandPath(), f.Name, values)
			}
			for _, value := range values {
				if err := f.Value.Set(value); err != nil {
					t.Errorf("%s --%s: %v", c.CommandPath(), f.Name, err)
				}
			}
		})
	})
	if len(tried) < 10 {
		t.Errorf("values are offered only for %v", tried)
	}
}

func TestCompletionScripts(t *testing.T) {
	for _, s := range shells {
		if script := succeed(t, "completion", s.name); !strings.Contains(script, cobra.ShellCompRequestCmd) {
			t.Errorf("the script for %s asks nothing:\n%s", s.name, script)
		}
	}
	o := reidbench(t, "completion", "csh")
	if o.code != exitMisuse || !strings.Contains(o.stderr, `no completion for "csh"`) {
		t.Errorf("csh: exit code %d, standard error %q", o.code, o.stderr)
	}
}
