//go:build unix

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
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
	dataset, err := market1501.Open(t.Context(), data)
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

// TestFlagsNameFiles gives every flag and argument that takes a file something else: it is refused, by its name.
func TestFlagsNameFiles(t *testing.T) {
	data, dir := synthetic(t), t.TempDir()
	t.Chdir(dir)
	if err := errors.Join(
		syscall.Mkfifo("pipe", 0o666), os.Mkdir("folder", 0o777), os.Symlink("nothing", "dangling"),
	); err != nil {
		t.Fatal(err)
	}
	reads := [][]string{
		{"run", "--out", "runs", "--dry-run", "--config"},
		{"eval", "--config"},
		{"rank", "--config"},
		{"eval", "lenet", "--data", data, "--weights"},
		{"rank", "lenet", "--data", data, "--out", "ranked", "--weights"},
		{"weights", "inspect"},
		{"check", "--file"},
	}
	writes := [][]string{
		{"check", "--update", "--file"},
		{"report", "--runs", "folder", "--out"},
		{"report", "--runs", "folder", "--html"},
	}
	for _, place := range []string{"pipe", "folder", "/dev/zero", "dangling"} {
		lines := reads
		if place != "dangling" { // a file is written to where the link leads
			lines = append(lines, writes...)
		}
		for _, line := range lines {
			line = append(line[:len(line):len(line)], place)
			got := reidbench(t, line...)
			if got.code == exitOK || !strings.Contains(got.stderr, place) {
				t.Errorf("%q: exit code %d, %q", line, got.code, got.stderr)
			}
		}
	}
}
