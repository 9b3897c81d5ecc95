package main

import (
	"bytes"
	"context"
	"flag"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// asProgram makes the test binary be reidbench itself.
const asProgram = "REIDBENCH_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	signal.Reset() // the program's own: Ctrl-C ends tests
	os.Exit(m.Run())
}

// program is reidbench as a process of its own.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), self, args...)
	command.Env = append(os.Environ(), asProgram+"=1")
	return command
}

// outcome is what a command line has come to.
type outcome struct {
	code           int
	stdout, stderr string
}

// reidbench runs a command line in this process.
func reidbench(t *testing.T, args ...string) outcome {
	t.Helper()
	return reidbenchUntil(t.Context(), args...)
}

func reidbenchUntil(ctx context.Context, args ...string) outcome {
	var stdout, stderr bytes.Buffer
	code := run(ctx, args, &stdout, &stderr)
	return outcome{code, stdout.String(), stderr.String()}
}

// succeed runs a command line that must end with 0, and returns its standard output.
func succeed(t *testing.T, args ...string) string {
	t.Helper()
	o := reidbench(t, args...)
	if o.code != exitOK {
		t.Fatalf("reidbench %s: exit code %d\n%s", strings.Join(args, " "), o.code, o.stderr)
	}
	return o.stdout
}

// learned is the part of a run's output that is the same whenever and wherever it runs: above are speeds, below paths.
func learned(t *testing.T, text string) string {
	t.Helper()
	part := regexp.MustCompile(`(?s)\nWhat the runs .*\nPlot: `).FindString(text)
	if part == "" {
		t.Errorf("a run's output without what it has come to:\n%s", text)
	}
	return part
}

// golden compares with testdata/name, or rewrites that.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-golden +got):\n%s", path, diff)
	}
}

func TestExitCodes(t *testing.T) {
	absent := filepath.Join(t.TempDir(), "absent")
	for _, test := range []struct {
		name   string
		args   string
		code   int
		stderr string // a part of it
	}{
		{"no command", "", exitOK, ""},
		{"help", "--help", exitOK, ""},
		{"help about a command", "help data synth", exitOK, ""},
		{"help about nothing", "help nothing", exitMisuse, `no help about "nothing"`},
		{
			"unknown command", "rum all --recipe quick", exitMisuse,
			`unknown command "reidbench rum"; did you mean "run"?`,
		},
		{"unknown command of a command", "data inf x", exitMisuse, `did you mean "info"?`},
		{"command without its command", "data", exitOK, ""},
		{"unknown flag", "list --al", exitMisuse, "unknown flag: --al"},
		{"unknown flag before a command", "--al", exitMisuse, "unknown flag: --al"},
		{"superfluous argument", "list osnet", exitMisuse, `unknown command "osnet" for "reidbench list"`},
		{"missing argument", "run", exitMisuse, "requires at least 1 arg"},
		{"missing flag", "eval osnet --data x", exitMisuse, `required flag(s) "weights" not set`},
		{"flags that exclude each other", "report --csv --json", exitMisuse, "none of the others can be"},
		{"not a number", "run osnet --epochs many", exitMisuse, `invalid argument "many" for "--epochs"`},
		{"negative number", "run osnet --seed -1", exitMisuse, `invalid argument "-1" for "--seed"`},
		{"no threads", "bench infer lenet --threads 0", exitMisuse, `"0" for "--threads" flag: must be from 1 to 4096`},
		{"unknown model", "run resnet5", exitMisuse, `unknown model "resnet5"; did you mean "resnet50"?`},
		{"unknown model in another command", "summary osnt", exitMisuse, `did you mean "osnet"?`},
		{"unknown model to measure", "bench trian", exitMisuse, `unknown model "trian"`},
		{"pattern without a match", "run resnetx*", exitMisuse, `nothing matches "resnetx*"`},
		{"unknown model for its kernels", "bench kernels osnt", exitMisuse, `did you mean "osnet"?`},
		{"unknown teacher", "run osnet --teacher resnet5", exitMisuse, `--teacher: unknown model "resnet5"`},
		{"unknown recipe", "run osnet --recipe slow", exitMisuse, `"slow"`},
		{"negative interval", "run osnet --checkpoint-interval -1m", exitMisuse, "must not be negative"},
		{"no newest checkpoint", "run osnet --keep 0", exitMisuse, `"0" for "--keep" flag: must be from 1 to`},
		{"unusable recipe", "run osnet --lr -1", exitMisuse, "learning rate of -1"},
		{"no such task", "run lenet --recipe tiny --task 99 --out " + absent, exitMisuse, "number 99, there are 1"},
		{"seeds beyond the last", "run lenet --seed 18446744073709551615 --seeds 2", exitMisuse, "no 2 seeds"},
		{"a task twice", "run lenet --recipe tiny --task 0,0 --out " + absent, exitMisuse, "number 0 is named twice"},
		{"unknown metric", "eval osnet --weights x --data x --metric manhattan", exitMisuse, "euclidean or cosine"},
		{"re-ranking without neighbours", "run osnet --rerank --rerank-k1 0", exitMisuse, "must be from 1"},
		{
			"values of no re-ranking", "run osnet --rerank-k1 10", exitMisuse,
			"--rerank-k1 says nothing without --rerank",
		},
		{"JSON of a run", "run lenet --json", exitMisuse, "--json is for --dry-run"},
		{"too few identities", "data synth --out " + absent + " --ids 1", exitMisuse, "must be from 2 to 9999"},
		{"too many to test", "data synth --out " + absent +
			" --ids 6 --test-ids 6", exitMisuse, "have to be trained on"},
		{"no dataset", "data info " + absent, exitFound, absent},
		{"no dataset to run on", "run lenet --data " + absent + " --out " + absent, exitFound, absent},
		{"no runs", "report --runs " + absent, exitFound, absent},
		{"no runs to plot", "plot --runs " + absent, exitFound, absent},
		{"weights of no model", "run osnet --weights osnett=" + absent, exitMisuse, `"osnett"; did you mean "osnet"?`},
		{"no weights to begin with", "run osnet --weights " + absent, exitFound, absent},
		{"no weights", "weights inspect " + absent, exitFound, absent},
		{"no figures", "check --file " + absent, exitFound, absent},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := reidbench(t, strings.Fields(test.args)...)
			if o.code != test.code {
				t.Errorf("exit code %d, want %d", o.code, test.code)
			}
			if !strings.Contains(o.stderr, test.stderr) {
				t.Errorf("standard error is %q, which lacks %q", o.stderr, test.stderr)
			}
			if (o.stderr == "") != (test.code == exitOK) {
				t.Errorf("exit code %d with standard error %q", o.code, o.stderr)
			}
			if strings.Contains(o.stderr, "--help") != (test.code == exitMisuse) {
				t.Errorf("exit code %d, and the way to the help in %q", o.code, o.stderr)
			}
			if test.code != exitOK && o.stdout != "" {
				t.Errorf("an error with standard output %q", o.stdout)
			}
		})
	}
}

func TestUnknownISA(t *testing.T) {
	command := program(t, "list")
	command.Env = append(command.Env, "REIDBENCH_ISA=sse9")
	output, _ := command.CombinedOutput()
	if code := command.ProcessState.ExitCode(); code != exitMisuse || !bytes.Contains(output, []byte("sse9")) {
		t.Errorf("exit code %d, want %d; output %q", code, exitMisuse, output)
	}
}
