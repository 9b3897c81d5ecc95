package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/reidbench/reidbench/bench"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/results"
)

// The second average precision is shown, recorded and labelled where it is asked for, and nowhere else.
func TestTrapezoid(t *testing.T) {
	data, runs := synthetic(t), filepath.Join(t.TempDir(), "runs")
	table := succeed(t, "run", "lenet", "--data", data, "--recipe", "tiny", "--out", runs, "--ap", "trapezoid")
	const title = "mAP trapezoid"
	if !strings.Contains(table, title) {
		t.Errorf("run: no %q in\n%s", title, table)
	}
	record, err := results.Read(filepath.Join(runs, "lenet"))
	if err != nil || record.Final.TrapezoidMAP <= 0 || record.Final.TrapezoidMAP > record.Final.MAP {
		t.Errorf("recorded: %+v, %v", record.Final, err)
	}
	line := []string{"eval", "lenet", "--data", data, "--weights", filepath.Join(runs, "lenet", store.WeightsFile)}
	for _, asked := range []bool{true, false} {
		if asked {
			line = append(line, "--ap", "trapezoid")
		} else {
			line = line[:len(line)-2]
		}
		var evaluation bench.Evaluation
		if err := json.Unmarshal([]byte(succeed(t, append(line, "--json")...)), &evaluation); err != nil {
			t.Fatal(err)
		}
		if text := succeed(t, line...); strings.Contains(text, "trapezoid\n") != asked ||
			(evaluation.Metrics.TrapezoidMAP > 0) != asked {
			t.Errorf("asked %v: %v in\n%s", asked, evaluation.Metrics.TrapezoidMAP, text)
		}
	}
	if o := reidbench(t, append(line, "--ap", "matlab")...); o.code != exitMisuse ||
		!strings.Contains(o.stderr, "hits or trapezoid") {
		t.Errorf("an unknown one: exit code %d, %s", o.code, o.stderr)
	}
}
