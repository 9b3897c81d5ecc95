package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/results"
)

func TestRunAfterFailure(t *testing.T) {
	runs := t.TempDir()
	if err := os.MkdirAll(filepath.Join(runs, "lenet"), 0o777); err != nil {
		t.Fatal(err)
	}
	metrics := filepath.Join(runs, "lenet", store.MetricsFile)
	if err := os.Mkdir(metrics, 0o777); err != nil { // a folder where the log is to be
		t.Fatal(err)
	}
	args := []string{"run", "lenet", "--data", synthetic(t), "--out", runs, "--epochs", "1"}
	o := reidbench(t, args...)
	if o.code != exitFound || !strings.Contains(o.stderr, "1 of 1 jobs failed\n  lenet: ") {
		t.Errorf("exit code %d, standard error %q", o.code, o.stderr)
	}
	if !strings.Contains(o.stdout, "failed") {
		t.Errorf("the table does not tell of the failure:\n%s", o.stdout)
	}
	if o := reidbench(t, "status", "--runs", runs); o.code != exitFound ||
		!strings.Contains(o.stderr, "1 of 1 jobs failed or cannot be read") || !strings.Contains(o.stdout,
		"metrics.jsonl") {
		t.Errorf("status: exit code %d, standard error %q, standard output\n%s", o.code, o.stderr, o.stdout)
	}
	if err := os.Remove(metrics); err != nil {
		t.Fatal(err)
	}
	succeed(t, args...)
}

// A job that fails without a record, as its folder can't be locked, is not one that was not run.
func TestTableOfAFailureWithoutARecord(t *testing.T) {
	runs := t.TempDir()
	args := []string{"run", "mobilenetv3-small", "--data", synthetic(t), "--out", runs, "--recipe", "tiny"}
	succeed(t, args...)
	job := filepath.Join(runs, "mobilenetv3-small")
	err := errors.Join(os.Remove(filepath.Join(job, results.File)), os.Mkdir(filepath.Join(job, ".lock"), 0o777))
	if err != nil {
		t.Fatal(err)
	}
	o := reidbench(t, args...)
	if o.code != exitFound || !strings.Contains(o.stdout, "0 of 34 done, 1 failed, 33 not run") {
		t.Errorf("exit code %d, %s, standard output\n%s", o.code, o.stderr, o.stdout)
	}
}
