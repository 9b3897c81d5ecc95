package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

// configured is a command that takes a file of settings and keeps what it was called with.
type configured struct {
	command *cobra.Command
	lr      float64
	seed    uint64
	flip    bool
	names   []string
	args    []string
}

func newConfigured() *configured {
	c := &configured{}
	c.command = &cobra.Command{
		Use: "test", Args: cobra.MinimumNArgs(1), SilenceErrors: true, SilenceUsage: true,
		RunE: func(_ *cobra.Command, args []string) error {
			c.args = args
			return nil
		},
	}
	flags := c.command.Flags()
	flags.Float64Var(&c.lr, "lr", 1, "")
	flags.Uint64Var(&c.seed, "seed", 1, "")
	flags.BoolVar(&c.flip, "flip", false, "")
	flags.StringSliceVar(&c.names, "names", nil, "")
	acceptConfig(c.command, "models")
	return c
}

// configPath writes a file of settings.
func configPath(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bench.yaml")
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestConfig(t *testing.T) {
	const whole = "# of a test\nmodels: [a, b]\nlr: 5e-4\nseed: 7\nflip: true\nnames: [x, 2]\n"
	for _, test := range []struct {
		name, content string
		line          []string // the command line beside --config
		lr            float64
		seed          uint64
		flip          bool
		names, args   []string
	}{
		{"all from the file", whole, nil, 5e-4, 7, true, []string{"x", "2"}, []string{"a", "b"}},
		{
			"the command line wins", whole, []string{"c", "--seed", "9", "--flip=false", "--names", "y"}, 5e-4, 9,
			false, []string{"y"}, []string{"c"},
		},
		{"a single model, single values", "models: a\nnames: x,y", nil, 1, 1, false, []string{"x", "y"}, []string{"a"}},
		{"an empty file", "", []string{"c"}, 1, 1, false, nil, []string{"c"}},
		{"comments only", "# nothing\n", []string{"c"}, 1, 1, false, nil, []string{"c"}},
		{"JSON", `{"seed": 3, "models": ["a"]}`, nil, 1, 3, false, nil, []string{"a"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newConfigured()
			c.command.SetArgs(append(test.line, "--config", configPath(t, test.content)))
			if err := c.command.Execute(); err != nil {
				t.Fatal(err)
			}
			got := []any{c.lr, c.seed, c.flip, c.names, c.args}
			if diff := cmp.Diff([]any{test.lr, test.seed, test.flip, test.names, test.args}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestConfigRefuses(t *testing.T) {
	for _, test := range []struct{ name, content, mention string }{
		{"unknown key", "lr: 1\nepohcs: 3\n", `bench.yaml:2: unknown key "epohcs"`},
		{"a file within the file", "config: other.yaml\n", `bench.yaml:1: unknown key "config"`},
		{"the same key twice", "lr: 1\n\nlr: 2\n", "bench.yaml:3: lr is set in line 1 already"},
		{"not a number", "lr: 1\nseed: many\n", `bench.yaml:2: invalid argument "many" for "--seed"`},
		{"no value", "lr:\n", "bench.yaml:1: lr is set to something that is no single value"},
		{"a mapping", "lr:\n  of: 3\n", "bench.yaml:2: lr is set to something"},
		{"a list in a list", "models:\n- a\n- [b]\n", "bench.yaml:3: models is set to something"},
		{"a list for one value", "lr: [1, 2]\n", "bench.yaml:1: lr takes one value, not a list"},
		{"an alias", "lr: &x 1\nseed: *x\n", "bench.yaml:2: seed is set to something"},
		{"a key that is a list", "[a]: 3\n", "bench.yaml:1: a key that is no plain word"},
		{"no mapping", "- a\n", "bench.yaml:1: expected lines of the form"},
		{"two documents", "lr: 1\n---\nlr: 2\n", "bench.yaml: more than one document"},
		{"no YAML", "lr: 1\n\tseed: 2\n", "bench.yaml: yaml: line"},
		{"too much", strings.Repeat("# nothing\n", maxConfigBytes/10+1), "bench.yaml: larger than"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newConfigured()
			c.command.SetArgs([]string{"m", "--config", configPath(t, test.content)})
			if err := c.command.Execute(); err == nil || !strings.Contains(err.Error(), test.mention) {
				t.Errorf("error %v, want one with %q", err, test.mention)
			}
			if c.args != nil {
				t.Error("the command has run")
			}
		})
	}
	if o := reidbench(t, "run", "lenet", "--config", "absent.yaml"); o.code != exitMisuse ||
		!strings.Contains(o.stderr, "absent.yaml") {
		t.Errorf("no file: exit code %d, %s", o.code, o.stderr)
	}
}

// A file can give what the command requires: flags and the model.
func TestConfigOfEval(t *testing.T) {
	path := configPath(t, "model: lenet\nweights: absent.safetensors\ndata: "+synthetic(t)+"\n")
	if o := reidbench(t, "eval", "--config", path); o.code != exitFound ||
		!strings.Contains(o.stderr, "absent.safetensors") {
		t.Errorf("exit code %d, standard error %q; want to see the file of weights missed", o.code, o.stderr)
	}
}

// FuzzParseConfig: what is accepted has keys, each once, and values; errors name the file.
func FuzzParseConfig(f *testing.F) {
	for _, seed := range []string{
		"models: [a, b]\nlr: 5e-4", `{"a": "b"}`, "a: &x 1\nb: *x", "? [a]\n: b", "- a", "a: !!binary aGk=",
		"a: |\n  b\n  c", "<<: {a: b}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		c, err := parseConfig("bench.yaml", content)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "bench.yaml:") {
				t.Errorf("the error does not begin with the file: %v", err)
			}
			return
		}
		seen := map[string]bool{}
		for _, s := range c.settings {
			if seen[s.key] || s.line < 1 || !s.list && len(s.values) != 1 {
				t.Errorf("setting %+v", s)
			}
			seen[s.key] = true
		}
	})
}
