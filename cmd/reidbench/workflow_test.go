package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/results"
)

// synthetic draws a dataset of six identities.
func synthetic(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	succeed(t, "data", "synth", "--out", dir, "--ids", "6", "--test-ids", "3", "--images", "4", "--seed", "3")
	return dir
}

func TestWorkflow(t *testing.T) {
	dir := t.TempDir()
	data, runs := synthetic(t), filepath.Join(dir, "runs")
	train := []string{
		"run", "lenet", "--data", data, "--out", runs, "--head-epochs", "1", "--epochs", "2", "--batch", "4",
		"--lr", "1e-3", "--seed", "5",
	}

	table := succeed(t, train...)
	for _, want := range []string{
		"quick (", "epochs 2,", "batch 4,", "learning rate 0.001,", "\nSeed     5\n",
		"\nInference  median latency", "\nlenet ",
	} {
		if !strings.Contains(table, want) {
			t.Errorf("the run's table lacks %q:\n%s", want, table)
		}
	}
	if strings.Contains(table, "ResNet50") {
		t.Errorf("the run's table has rows that it was not about:\n%s", table)
	}
	record, err := results.Read(filepath.Join(runs, "lenet"))
	if err != nil {
		t.Fatal(err)
	}

	t.Run("again", func(t *testing.T) {
		if again := succeed(t, train...); again != table {
			t.Errorf("a finished run, repeated, prints another table:\n%s", again)
		}
		repeated, err := results.Read(filepath.Join(runs, "lenet"))
		if diff := cmp.Diff(record, repeated); err != nil || diff != "" {
			t.Errorf("a finished run was done again: %v\n%s", err, diff)
		}
	})
	t.Run("conflict", func(t *testing.T) {
		o := reidbench(t, append(train, "--epochs", "1")...)
		if o.code != exitMisuse || !strings.Contains(o.stderr, "recipe.epochs is 1, there 2") {
			t.Errorf("exit code %d, standard error %q", o.code, o.stderr)
		}
	})
	t.Run("dry run", func(t *testing.T) {
		text := succeed(t, append(train, "--dry-run", "--seeds", "2")...)
		for _, want := range []string{
			"\nJobs     2, 1 at a time", "\nlenet    ", " done ", "\nlenet@6  ", " new ", "1 + 2",
			"\nuntil the last has ended ",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in\n%s", want, text)
			}
		}
		var estimate bench.Estimate
		if err := json.Unmarshal([]byte(succeed(t, append(train, "--dry-run", "--seeds", "2", "--json")...)),
			&estimate); err != nil {
			t.Fatal(err)
		}
		if len(estimate.Plan) != 2 || estimate.Plan[0].State != results.StateDone || !(estimate.Plan[1].Seconds > 0) ||
			estimate.Seconds != estimate.Plan[1].Seconds {
			t.Errorf("%+v", estimate)
		}
		if _, err := os.Stat(filepath.Join(runs, "lenet@6")); err == nil {
			t.Error("a dry run has made a folder")
		}
	})
	t.Run("report", func(t *testing.T) {
		var report struct {
			Format string
			Tables []struct {
				Rows []struct{ Model, Status string }
			}
		}
		if err := json.Unmarshal([]byte(succeed(t, "report", "--runs", runs, "--json")), &report); err != nil {
			t.Fatal(err)
		}
		status := map[string]int{}
		for _, table := range report.Tables {
			for _, row := range table.Rows {
				status[row.Status]++
			}
		}
		if diff := cmp.Diff(map[string]int{"done": 1, "not run": 34}, status); diff != "" {
			t.Error(diff)
		}
		file := filepath.Join(dir, "report.csv")
		if out := succeed(t, "report", "--runs", runs, "--csv", "--out", file); out != "" {
			t.Errorf("a report into a file also prints %q", out)
		}
		written, err := os.ReadFile(file)
		if err != nil || string(written) != succeed(t, "report", "--runs", runs, "--csv") {
			t.Errorf("the file differs from what is printed without --out: %v", err)
		}
	})
	t.Run("page", func(t *testing.T) {
		file := filepath.Join(dir, "report.html")
		if out := succeed(t, "report", "--runs", runs, "--html", file); out != "" {
			t.Errorf("a page into a file also prints %q", out)
		}
		page, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{
			`<tr data-model="lenet"><th scope="row">lenet</th>`,
			`"curves":[{"model":"lenet","epochs":3,"runs":[{"seed":5,"loss":[[`, "features.0 ",
		} {
			if !strings.Contains(string(page), want) {
				t.Errorf("the page lacks %q", want)
			}
		}
		if bytes.Contains(page, []byte("data:image/jpeg")) ||
			!bytes.Contains(page, []byte("are not at hand: name its folder with --data")) {
			t.Error("the page does not say that the images are elsewhere")
		}
		succeed(t, "report", "--runs", runs, "--html", file, "--data", data, "--heatmap")
		if page, err = os.ReadFile(file); err != nil || bytes.Contains(page, []byte("not at hand")) {
			t.Errorf("the images are not found: %v", err)
		}
		if n := bytes.Count(page, []byte(`<img src="data:image/jpeg;base64,`)); n < 3*2 {
			t.Errorf("%d images of three ranked lists", n)
		} else if looks := bytes.Count(page, []byte(`<img class="looks"`)); looks != n {
			t.Errorf("where the network looks is shown for %d images of %d", looks, n)
		}
	})
	t.Run("rank", func(t *testing.T) {
		args := []string{
			"rank", "lenet", "--weights", filepath.Join(runs, "lenet", store.WeightsFile), "--data", data, "--queries",
			"2", "--top", "4",
		}
		var pictures [2][]byte
		for i, out := range []string{filepath.Join(dir, "ranked"), filepath.Join(dir, "ranked again")} {
			printed := succeed(t, append(args, "--out", out)...)
			paths := strings.Split(strings.TrimSpace(printed), "\n")
			if len(paths) != 2 || filepath.Dir(paths[0]) != out ||
				!strings.HasPrefix(filepath.Base(paths[0]), "rank-01-") {
				t.Fatalf("the paths printed are %q", paths)
			}
			var err error
			if pictures[i], err = os.ReadFile(paths[0]); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(pictures[0], pictures[1]) {
			t.Error("the same list was drawn in other bytes")
		}
		var rankings results.Rankings
		printed := succeed(t, append(args, "--out", dir, "--heatmap", "--json")...)
		if err := json.Unmarshal([]byte(printed), &rankings); err != nil {
			t.Fatal(err)
		}
		if m := rankings.Lists[1].Nearest[3].Heatmap; rankings.Heatmaps != "activation" || m == nil || m.Height != 5 {
			t.Errorf("heatmaps by %q, the last is %+v", rankings.Heatmaps, m)
		}
		if len(rankings.Lists) != 2 || len(rankings.Lists[0].Nearest) != 4 || rankings.Lists[0].Place != 1 ||
			rankings.Lists[1].Place != rankings.Queries {
			t.Errorf("not the best and the worst query with four images each: %+v", rankings)
		}
		if o := reidbench(t, append(args, "--out", dir, "--choose", "random")...); o.code != exitMisuse ||
			!strings.Contains(o.stderr, "spread, best, worst, first") {
			t.Errorf("exit code %d, standard error %q", o.code, o.stderr)
		}
	})
	t.Run("status", func(t *testing.T) {
		text := succeed(t, "status", "--runs", runs)
		if !regexp.MustCompile(`(?m)^lenet  done   +3/3 +9/9  `).MatchString(text) ||
			!strings.HasSuffix(text, "\n\n1 of 1 jobs done\n") {
			t.Errorf("a finished job's status is\n%s", text)
		}
		var jobs []store.JobStatus
		if err := json.Unmarshal([]byte(succeed(t, "status", "--runs", runs, "--json")), &jobs); err != nil {
			t.Fatal(err)
		}
		if len(jobs) != 1 || jobs[0].State != results.StateDone || !cmp.Equal(jobs[0].Metrics, record.Final) {
			t.Errorf("status %+v", jobs)
		}
	})
	t.Run("plot", func(t *testing.T) {
		paths := strings.Fields(succeed(t, "plot", "--runs", runs))
		if len(paths) != 16 {
			t.Errorf("8 charts in two formats expected, there are %v", paths)
		}
		for _, path := range paths {
			if info, err := os.Stat(path); err != nil || info.Size() == 0 ||
				filepath.Dir(path) != filepath.Join(runs, "plots") {
				t.Errorf("%s: %v", path, err)
			}
		}
	})
	t.Run("eval", func(t *testing.T) {
		weights := filepath.Join(runs, "lenet", store.WeightsFile)
		converted, features := filepath.Join(dir, "converted.safetensors"), filepath.Join(dir, "features.csv")
		succeed(t, "weights", "convert", weights, converted)
		var evaluation bench.Evaluation
		out := succeed(t, "eval",
			"lenet", "--weights", converted, "--data", data, "--batch", "4", "--features", features, "--json")
		if err := json.Unmarshal([]byte(out), &evaluation); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(*record.Final, evaluation.Metrics); diff != "" {
			t.Errorf("the weights are judged otherwise than in their run (-run +eval):\n%s", diff)
		}
		file, err := os.Open(features)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		reader := csv.NewReader(file)
		reader.FieldsPerRecord = 4 + 84 // name, pid, camid, split, LeNet's features
		rows, err := reader.ReadAll()
		if images := record.Dataset.Query + record.Dataset.Gallery; err != nil || len(rows) < images ||
			len(rows) > images+1 {
			t.Errorf("%d rows of features of %d images: %v", len(rows), images, err)
		}
		if text := succeed(t, "eval",
			"lenet", "--weights", weights, "--data", data, "--batch", "4"); !strings.Contains(text, "Rank-1") {
			t.Errorf("no metrics in\n%s", text)
		}
		if o := reidbench(t, "eval", "alexnet", "--weights", weights, "--data", data); o.code != exitFound ||
			!strings.Contains(o.stderr, "they were trained as lenet, not as alexnet") {
			t.Errorf("another model's weights: exit code %d, standard error %q", o.code, o.stderr)
		}
	})
	t.Run("inspect", func(t *testing.T) {
		weights := filepath.Join(runs, "lenet", store.WeightsFile)
		if text := succeed(t, "weights", "inspect", weights); !strings.Contains(text,
			"features.0.weight    [6, 3, 5, 5]        450  F32\n") {
			t.Errorf("a tensor is missing:\n%s", text)
		}
		var archive struct {
			Format  string
			Tensors []struct{ Name, DType string }
		}
		if err := json.Unmarshal([]byte(succeed(t, "weights", "inspect", weights, "--json")), &archive); err != nil {
			t.Fatal(err)
		}
		if archive.Format != "safetensors" || len(archive.Tensors) != 10 {
			t.Errorf("%s with %d tensors, want safetensors with 10", archive.Format, len(archive.Tensors))
		}
	})
}

// tripwire is standard error that calls a function once a text has come by.
type tripwire struct {
	mu   sync.Mutex
	text string
	trip func()
	all  bytes.Buffer
}

func (w *tripwire) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all.Write(p)
	if w.trip != nil && strings.Contains(w.all.String(), w.text) {
		w.trip()
		w.trip = nil
	}
	return len(p), nil
}

func (w *tripwire) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all.String()
}

func TestInterruptedRunGoesOn(t *testing.T) {
	data := synthetic(t)
	train := func(out string) []string {
		return []string{"run", "lenet", "--data", data, "--out", out, "--epochs", "40", "--batch", "4"}
	}
	undisturbed, disturbed := t.TempDir(), t.TempDir()
	succeed(t, train(undisturbed)...)

	ctx, cancel := context.WithCancel(t.Context())
	stderr := &tripwire{text: "lenet: training, 40 epochs", trip: cancel}
	if code := run(ctx, train(disturbed), os.Stdout, stderr); code != exitFound {
		t.Errorf("exit code %d, want %d", code, exitFound)
	}
	for _, want := range []string{
		"lenet: interrupted after step", "reidbench: interrupted with 1 of 1 jobs left; the same command goes on",
	} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("standard error lacks %q:\n%s", want, stderr)
		}
	}
	if _, err := results.Read(filepath.Join(disturbed, "lenet")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an interrupted run has a record: %v", err)
	}
	again := reidbench(t, train(disturbed)...)
	if again.code != exitOK {
		t.Errorf("exit code %d:\n%s", again.code, again.stderr)
	}
	want, err := results.Read(filepath.Join(undisturbed, "lenet"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := results.Read(filepath.Join(disturbed, "lenet"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Final, got.Final); diff != "" {
		t.Errorf("interrupted and continued, it ends otherwise (-undisturbed +disturbed):\n%s", diff)
	}
}

// TestSignal sends what Ctrl-C and schedulers send to a process that trains.
func TestSignal(t *testing.T) {
	data, out := synthetic(t), t.TempDir()
	for _, test := range []struct {
		signal syscall.Signal
		code   int
		again  int // how often the signal is sent
	}{
		{syscall.SIGINT, exitFound, 1},
		{syscall.SIGTERM, exitContinue, 1},
		{syscall.SIGTERM, exitContinue, 2}, // to the process and to its group
	} {
		command := program(t, "run", "lenet", "--data", data, "--out", out, "--epochs", "100000")
		stderr := &tripwire{text: "lenet: training"}
		stderr.trip = func() {
			for range test.again {
				_ = command.Process.Signal(test.signal)
			}
		}
		command.Stderr = stderr
		command.WaitDelay = time.Minute
		_ = command.Run()
		if code := command.ProcessState.ExitCode(); code != test.code ||
			!strings.Contains(stderr.String(), "the same command goes on") {
			t.Errorf("%v: exit code %d, want %d; standard error:\n%s", test.signal, code, test.code, stderr)
		}
	}
}

func TestInterruptedDrawingLeavesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	o := reidbenchUntil(ctx, "data", "synth", "--out", filepath.Join(dir, "data"))
	if o.code != exitFound || !strings.Contains(o.stderr, "interrupted") {
		t.Errorf("exit code %d, standard error %q", o.code, o.stderr)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v %v", entries, err)
	}
}

// TestMoreEpochs: what is finished goes on, and leaves what a run straight to the end leaves.
func TestMoreEpochs(t *testing.T) {
	data, dir := synthetic(t), t.TempDir()
	train := func(out, epochs string) string {
		text := succeed(t, "run", "lenet", "--data", data, "--out", filepath.Join(dir, out), "--recipe", "tiny",
			"--epochs", epochs)
		return learned(t, text)
	}
	train("pieces", "1")
	if in, straight := train("pieces", "3"), train("straight", "3"); in != straight {
		t.Errorf("in pieces:\n%s\nstraight:\n%s", in, straight)
	}
	file := filepath.Join("lenet", store.WeightsFile)
	if read(t, filepath.Join(dir, "pieces", file)) != read(t, filepath.Join(dir, "straight", file)) {
		t.Error("the weights differ")
	}
}
