//go:build unix

package main

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/results"
)

// TestNoCommandWaitsForAPipe puts a pipe that nobody writes to in the place of each file in turn, and the file back.
func TestNoCommandWaitsForAPipe(t *testing.T) {
	data, runs := synthetic(t), t.TempDir()
	run := []string{"run", "lenet", "--data", data, "--out", runs, "--recipe", "tiny"}
	succeed(t, run...)
	dataset, err := market1501.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	job := filepath.Join(runs, "lenet")
	weights := filepath.Join(job, store.WeightsFile)
	eval := []string{"eval", "lenet", "--weights", weights, "--data", data}
	readers := [][]string{{"status", "--runs", runs}, {"report", "--runs", runs}, run}
	for _, test := range []struct {
		path     string
		commands [][]string
	}{
		{filepath.Join(job, results.File), readers},
		{filepath.Join(job, "run.json"), readers},
		{filepath.Join(job, store.MetricsFile), readers},
		{filepath.Join(job, results.ProfileFile), readers},
		{filepath.Join(job, results.RankingsFile), readers},
		{weights, [][]string{eval, {"weights", "inspect", weights}}},
		{
			filepath.Join(data, filepath.FromSlash(dataset.Query.Entries[0].Path)),
			[][]string{eval, {"data", "info", data}, run},
		},
	} {
		aside := test.path + ".aside"
		if err := errors.Join(os.Rename(test.path, aside), syscall.Mkfifo(test.path, 0o666)); err != nil {
			t.Fatal(err)
		}
		for _, line := range test.commands {
			reidbench(t, line...) // it ends
		}
		if err := os.Rename(aside, test.path); err != nil {
			t.Fatal(err)
		}
	}
}
