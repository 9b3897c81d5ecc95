package bench

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/bench/store"
)

// TestWarmUp: the rate rises step by step in the second stage, before which the classifier alone has it all; also over
// an interruption in the middle of it.
func TestWarmUp(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	c.Recipe = c.Recipe.WithEpochs(3)
	c.Recipe.HeadEpochs, c.Recipe.LR, c.Recipe.LRStep, c.Recipe.LRGamma, c.Recipe.Warmup = 1, 0.004, 2, 0.5, 2
	mustRun(t, c)

	rates := ratesOfSteps(t, c)
	perEpoch := len(rates) / 4
	if perEpoch < 2 {
		t.Fatalf("%d steps in four epochs", len(rates))
	}
	var want []float64
	for range perEpoch {
		want = append(want, 0.004)
	}
	for step := range 2 * perEpoch {
		want = append(want, 0.004*float64(step+1)/float64(2*perEpoch))
	}
	for range perEpoch {
		want = append(want, 0.002)
	}
	if diff := cmp.Diff(want, rates, cmpopts.EquateApprox(1e-12, 0)); diff != "" {
		t.Errorf("rates of steps (-want +got):\n%s", diff)
	}

	inPieces := c
	inPieces.Out = filepath.Join(t.TempDir(), "runs")
	runUntil(t, inPieces, perEpoch+1)
	mustRun(t, inPieces)
	sameTrace(t, "interrupted while it rises", filepath.Join(c.Out, "one"), filepath.Join(inPieces.Out, "one"))

	atOnce := c
	atOnce.Out, atOnce.Recipe.Warmup = filepath.Join(t.TempDir(), "runs"), 0
	mustRun(t, atOnce)
	weights := filepath.Join("one", store.WeightsFile)
	if bytes.Equal(mustRead(t, filepath.Join(c.Out, weights)), mustRead(t, filepath.Join(atOnce.Out, weights))) {
		t.Error("the weights are those of a training without a warm-up")
	}
}

// ratesOfSteps are the learning rates that the log of the only job has.
func ratesOfSteps(t *testing.T, c Config) (rates []float64) {
	t.Helper()
	for line := range bytes.Lines(mustRead(t, filepath.Join(c.Out, "one", store.MetricsFile))) {
		var entry store.Entry
		if err := json.Unmarshal(line, &entry); err != nil {
			t.Fatal(err)
		}
		if entry.Event == store.StepEntry {
			rates = append(rates, entry.LR)
		}
	}
	return rates
}
