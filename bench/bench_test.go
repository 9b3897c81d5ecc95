package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results"
)

// brief is a recipe of both stages that takes a moment: 24 images, 3 steps an epoch.
func brief() recipe.Recipe {
	return recipe.Recipe{
		Name: "brief", HeadEpochs: 1, Epochs: 3, Batch: 10, LR: 1e-3, LRStep: 2, LRGamma: 0.1, Decay: 5e-4,
		EvaluateEvery: 2, CheckpointEvery: 2,
	}
}

// What tests look at in a job's folder, besides what package store names.
const (
	identityFile     = "run.json"
	manifestFile     = "dataset.csv"
	holderFile       = ".lock.json"
	checkpointFormat = "checkpoint-epoch%04d-step%06d.safetensors"
	digestSuffix     = ".sha256"
	brokenSuffix     = ".broken"
)

// sharedData is a synthetic dataset of six identities, four to train on.
var sharedData = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "bench-test-")
	if err != nil {
		return "", err
	}
	data := filepath.Join(dir, "data")
	return data, market1501.Synthesize(context.Background(), market1501.SynthConfig{
		Dir: data, IDs: 6, TestIDs: 2, ImagesPerID: 6, Seed: 1,
	})
})

func TestMain(m *testing.M) {
	if out := os.Getenv(victimOut); out != "" {
		runVictim(out, os.Getenv(victimData))
		return
	}
	code := m.Run()
	if data, _ := sharedData(); data != "" {
		os.RemoveAll(filepath.Dir(data))
	}
	os.Exit(code)
}

func testData(t *testing.T) string {
	t.Helper()
	data, err := sharedData()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func testConfig(t *testing.T, list ...models.Model) Config {
	t.Helper()
	return Config{
		Out: filepath.Join(t.TempDir(), "runs"), Data: testData(t), Models: list, Recipe: brief(), Seed: 7, Threads: 1,
	}
}

// mustRun runs and expects no error.
func mustRun(t *testing.T, c Config, only ...int) Summary {
	t.Helper()
	summary, err := Run(t.Context(), c, only...)
	if err != nil {
		t.Fatal(err)
	}
	return summary
}

// watcher is a Progress that calls a function.
type watcher func(progress.Event)

func (w watcher) Report(e progress.Event) { w(e) }

// trace is everything in a job's folder that must not depend on how a run went: what is
// under "timing", and the record's times and memory, is cut out.
func trace(t *testing.T, dir string) map[string]string {
	t.Helper()
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	var log strings.Builder
	for line := range bytes.Lines(read(store.MetricsFile)) {
		var e store.Entry
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		e.Timing = nil
		kept, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		log.Write(append(kept, '\n'))
	}
	record, err := results.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	record.Timing, record.Memory, record.Inference = results.Timing{}, results.Memory{}, nil
	kept, err := json.MarshalIndent(record, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		store.MetricsFile:                log.String(),
		results.File:                     string(kept),
		identityFile:                     string(read(identityFile)),
		store.WeightsFile + digestSuffix: string(read(store.WeightsFile + digestSuffix)),
	}
}

func sameTrace(t *testing.T, what, wantDir, gotDir string) {
	t.Helper()
	if diff := cmp.Diff(trace(t, wantDir), trace(t, gotDir)); diff != "" {
		t.Errorf("%s (-undisturbed +this):\n%s", what, diff)
	}
}

// files lists a folder's files.
func files(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// trained counts the jobs that are done, and were not before.
func trained(s Summary) int {
	n := 0
	for _, j := range s.Jobs {
		if j.State == results.StateDone && !j.DoneBefore {
			n++
		}
	}
	return n
}
