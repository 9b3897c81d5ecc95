package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results"
)

// costFolder has what the models cost on one machine, as "measure all" has written it, and the chart of it.
var costFolder = filepath.Join("..", "..", "docs", "cost")

// TestCostTable: the README begins with what report makes of the measurements in docs/cost, byte for byte, and the
// chart beside them is what plot draws.
func TestCostTable(t *testing.T) {
	file := filepath.Join(costFolder, "measurements.json")
	inReadme(t, "report --runs docs/cost --measured docs/cost/measurements.json --markdown",
		succeed(t, "report", "--runs", costFolder, "--measured", file, "--markdown"))

	if runtime.GOARCH != "amd64" {
		t.Skip("a chart is drawn by arithmetic that other architectures round elsewhere")
	}
	const answer = "map-latency.png"
	drawn := t.TempDir()
	succeed(t, "plot", "--runs", costFolder, "--measured", file, "--out", drawn)
	want, err := os.ReadFile(filepath.Join(drawn, answer))
	if err != nil {
		t.Fatal(err)
	}
	chart := filepath.Join(costFolder, answer)
	if *update {
		if err := os.WriteFile(chart, want, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(chart); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not what plot draws (-update rewrites it): %v", chart, err)
	}
}

// TestCostRows: all rows were measured, once each.
func TestCostRows(t *testing.T) {
	measured, err := results.ReadMeasurements(filepath.Join(costFolder, "measurements.json"))
	if err != nil {
		t.Fatal(err)
	}
	times := map[string]int{}
	for _, m := range measured.Models {
		times[m.Row]++
	}
	for _, m := range models.Rows() {
		if times[m.Row] != 1 {
			t.Errorf("%s was measured %d times", m.Row, times[m.Row])
		}
	}
}
