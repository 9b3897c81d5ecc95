package bench

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/models/graph"
	"github.com/reidbench/reidbench/results"
)

func TestEvaluateAgreesWithRun(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	summary := mustRun(t, c)
	features := filepath.Join(t.TempDir(), "features.csv")
	got, err := Evaluate(t.Context(), EvaluateConfig{
		Model: tinymodel.New("one"), Weights: filepath.Join(c.Out, "one", store.WeightsFile), Data: c.Data,
		Features: features, Batch: c.Recipe.Batch,
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*summary.Jobs[0].Record.Final, got.Metrics); diff != "" {
		t.Errorf("metrics (-run +evaluate):\n%s", diff)
	}
	f, err := os.Open(features)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if want := 1 + got.Dataset.Query + got.Dataset.Gallery; len(rows) != want || len(rows[0]) != 4+16 {
		t.Errorf("%d rows of %d columns, want %d of 20", len(rows), len(rows[0]), want)
	}
}

// TestNeckInFilesOfWeights: a file with a neck, without a last stride and of larger images is judged so, and a training
// with a neck may begin with a file that has none.
func TestNeckInFilesOfWeights(t *testing.T) {
	plain := testConfig(t, tinymodel.New("one"))
	mustRun(t, plain)
	file := filepath.Join(plain.Out, "one", store.WeightsFile)

	c := testConfig(t, tinymodel.New("one"))
	c.Recipe.Neck, c.Recipe.LastStride, c.Weights = true, 1, WeightsFiles{file}
	c.Recipe.InputSize = models.ImageSize{H: 48, W: 24}
	var notes []string
	c.Progress = watcher(func(e progress.Event) { notes = append(notes, e.Text) })
	summary := mustRun(t, c)
	if text := strings.Join(notes, "\n"); !strings.Contains(text, "no batch norm before the classifier in the file") ||
		!strings.Contains(text, "classifier.bias") {
		t.Errorf("the notes are\n%s", text)
	}
	got, err := Evaluate(t.Context(), EvaluateConfig{
		Model: tinymodel.New("one"), Weights: filepath.Join(c.Out, "one", store.WeightsFile), Data: c.Data,
		Batch: c.Recipe.Batch,
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*summary.Jobs[0].Record.Final, got.Metrics); diff != "" {
		t.Errorf("metrics (-run +evaluate):\n%s", diff)
	}
}

func TestEvaluateLeavesOutAnotherClassifier(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	mustRun(t, c)
	more := filepath.Join(t.TempDir(), "more")
	if err := market1501.Synthesize(t.Context(),
		market1501.SynthConfig{Dir: more, IDs: 5, TestIDs: 2, ImagesPerID: 4}); err != nil {
		t.Fatal(err)
	}
	var notes []string
	_, err := Evaluate(t.Context(), EvaluateConfig{
		Model: tinymodel.New("one"), Weights: filepath.Join(c.Out, "one", store.WeightsFile), Data: more,
		Progress: watcher(func(e progress.Event) { notes = append(notes, e.Text) }),
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(notes) != 2 || !strings.Contains(notes[0], "classifier left out") || !strings.Contains(notes[1], "kept") {
		t.Errorf("notes %q, want one that says so, and where the figures are", notes)
	}
}

func TestEvaluateRefusesForeignWeights(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	mustRun(t, c)
	deeper := tinymodel.New("one")
	deeper.Build = func(b *graph.Builder, classes int) (features, logits *graph.Node) {
		x, _ := tinymodel.New("one").Build(b, classes)
		x = b.Linear("neck", x, 16)
		return x, b.Linear("head", x, classes)
	}
	_, err := Evaluate(t.Context(), EvaluateConfig{
		Model: deeper, Weights: filepath.Join(c.Out, "one", store.WeightsFile), Data: c.Data,
	})
	if err == nil || !strings.Contains(err.Error(), "missing (2): neck.weight, neck.bias") {
		t.Errorf("error %v, want one that names what is missing", err)
	}
}

// TestQueriesAreRecorded: the file in a job's folder is the one that eval writes, and the record's figures and
// intervals are made of it.
func TestQueriesAreRecorded(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	c.Recipe.Evaluation.Rerank = market1501.PublishedRerank()
	summary := mustRun(t, c)
	written := filepath.Join(t.TempDir(), "queries.csv")
	if _, err := Evaluate(t.Context(), EvaluateConfig{
		Model: tinymodel.New("one"), Weights: filepath.Join(c.Out, "one", store.WeightsFile), Data: c.Data,
		Protocol: c.Recipe.Evaluation, Queries: written, Batch: c.Recipe.Batch,
	}); err != nil {
		t.Fatal(err)
	}
	recorded, err := results.ReadQueries(filepath.Join(c.Out, "one", results.QueriesFile))
	if err != nil {
		t.Fatal(err)
	}
	byEval, err := results.ReadQueries(written)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(recorded, byEval); diff != "" {
		t.Errorf("queries (-run +eval):\n%s", diff)
	}
	final := summary.Jobs[0].Record.Final
	if diff := cmp.Diff(recorded.Intervals(), final.Intervals); diff != "" || final.Intervals == nil {
		t.Errorf("intervals (-queries +record):\n%s", diff)
	}
	if diff := cmp.Diff(recorded.RerankedIntervals(), final.Reranked.Intervals); diff != "" {
		t.Errorf("re-ranked intervals (-queries +record):\n%s", diff)
	}
	records, _, err := results.Load(c.Out)
	if err != nil || len(records) != 1 || len(records[0].Queries) != len(recorded) {
		t.Errorf("loaded with the record: %d queries (%v), not %d", len(records[0].Queries), err, len(recorded))
	}
}
