package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/results"
	"github.com/reidbench/reidbench/results/choice"
)

// writeMeasured writes measurements of three rows.
func writeMeasured(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "measured.json")
	measured := func(model, row string, ms float64, bytes int64) results.Measured {
		return results.Measured{Model: model, Row: row, Inference: results.Inference{
			Threads: 2, Precision: "fp32", Latency: results.Latency{P50: ms, P90: ms, P99: ms, Runs: 9},
			PlannedBytes: bytes, Batch: 32, ImagesPerSecond: 1,
		}}
	}
	err := results.WriteMeasurements(path, results.Measurements{Models: []results.Measured{
		measured("osnet", "OSNet", 18.1, 35e6), measured("resnet50", "ResNet50", 41.5, 130e6),
		measured("mobilenetv3-small", "Mobilenetv3-small", 5.32, 23e6),
	}})
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestChoose: no run is needed, nor one in a folder of the name that is asked by itself.
func TestChoose(t *testing.T) {
	measured := writeMeasured(t)
	text := ""
	t.Run("elsewhere", func(t *testing.T) {
		t.Chdir(t.TempDir())
		text = succeed(t, "choose")
		for _, args := range []string{
			"--max-latency 20ms --max-params 10M --max-macs 2G --max-memory 300MB --measured FILE",
			"--max-latency 1m --measured FILE",
		} {
			text += "\n$ choose " + args + "\n\n" +
				succeed(t, strings.Fields("choose "+strings.Replace(args, "FILE", measured, 1))...)
		}
	})
	golden(t, "choose.txt", text)
}

func TestChooseOurs(t *testing.T) {
	runs := t.TempDir()
	record := results.Record{
		Model: "osnet", Row: "OSNet", State: results.StateDone,
		Recipe: results.Recipe{Name: "paper", Values: map[string]any{
			"head_epochs": 10, "epochs": 150, "batch": 64, "lr": 5e-4, "lr_step": 50, "lr_gamma": 0.1,
			"weight_decay": 5e-4, "warmup_epochs": 0, "forward_macs": 0,
		}},
		Dataset: results.Dataset{Name: "Market-1501", Train: 12936, Query: 3368, Gallery: 15913},
		Final:   &results.Metrics{Rank1: 0.9, MAP: 0.75},
	}
	folder := filepath.Join(runs, "osnet")
	if err := errors.Join(os.Mkdir(folder, 0o777), results.Write(folder, record)); err != nil {
		t.Fatal(err)
	}
	text := succeed(t, "choose", "--runs", runs, "--max-params", "2.2M")
	for _, want := range []string{
		"OSNet *              75.00†   90.00  2.17 M  0.997 G", "*  59.52    79.58  1.52", "†     ours, on all of",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s\nlacks %q", text, want)
		}
	}
}

func TestChooseJSON(t *testing.T) {
	var got chosenJSON
	text := succeed(t, "choose", "--json", "--max-latency", "20ms", "--measured", writeMeasured(t),
		"--runs", t.TempDir())
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	var parts [3]int
	parts[0], parts[1], parts[2] = len(got.Fitting), len(got.Over), len(got.Unknown)
	if diff := cmp.Diff([3]int{2, 1, 31}, parts); diff != "" {
		t.Errorf("models that fit, are over, are not known (-want +got):\n%s", diff)
	}
	want := choice.Fitting{Front: true, Candidate: choice.Candidate{
		Model: "OSNet", Accuracy: choice.Published, MAP: 79.5, Rank1: 91.23, Costs: map[choice.Cost]float64{
			choice.Params: 2169508, choice.MACs: 996691088, choice.Latency: 18.1, choice.Memory: 35e6,
		},
	}}
	if diff := cmp.Diff(want, got.Fitting[0]); diff != "" {
		t.Errorf("the best (-want +got):\n%s", diff)
	}
	byLatency := []choice.Cost{choice.Latency}
	if got.Format != choiceFormat || got.Limits[choice.Latency] != 20 || !cmp.Equal(got.FrontBy, byLatency) {
		t.Errorf("format %s, limits %v, front by %v", got.Format, got.Limits, got.FrontBy)
	}
}

func TestChooseFails(t *testing.T) {
	for _, test := range []struct {
		args   string
		code   int
		stderr string // a part of it
	}{
		{"--max-params 1M", exitFound, "no row is known to be within the limits"},
		{"--max-latency 20ms", exitFound, "no row is known to be within the limits"},
		{"--max-latency 20", exitMisuse, `"20" is no time`},
		{"--max-params 10MB", exitMisuse, `"10MB" is no number`},
		{"--max-memory 300", exitMisuse, `"300" is no amount of memory`},
		{"--runs absent", exitFound, "absent"},
		{"--measured absent", exitFound, "absent"},
		{"osnet", exitMisuse, "unknown command"},
	} {
		o := reidbench(t, append([]string{"choose"}, strings.Fields(test.args)...)...)
		if o.code != test.code || !strings.Contains(o.stderr, test.stderr) {
			t.Errorf("choose %s: exit code %d, want %d; %q lacks %q", test.args, o.code, test.code, o.stderr,
				test.stderr)
		}
	}
}
