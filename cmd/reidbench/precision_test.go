package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"github.com/reidbench/reidbench/bench/measure"
	"github.com/reidbench/reidbench/kernels/gemm"
)

func TestPrecisionIsRefused(t *testing.T) {
	for _, args := range [][]string{
		{"bench", "infer", "lenet", "--precision", "bf16"},
		{"run", "lenet", "--precision", "bf16", "--out", t.TempDir()},
		{"run", "lenet", "--precision", "fp16", "--out", t.TempDir()},
	} {
		command := program(t, args...)
		command.Env = append(command.Env, "REIDBENCH_ISA=generic")
		output, _ := command.CombinedOutput()
		if code := command.ProcessState.ExitCode(); code != exitMisuse ||
			!bytes.Contains(output, []byte(gemm.ErrPrecision.Error())) {
			t.Errorf("%v: exit code %d, want %d; output %q", args, code, exitMisuse, output)
		}
	}
}

func TestMeasurementsNameTheirPrecision(t *testing.T) {
	if err := gemm.BF16.Available(); err != nil {
		t.Skip(err)
	}
	var measured []measure.Measurement
	output := succeed(t, "bench", "infer", "lenet", "--precision", "bf16", "--steps", "1", "--json")
	if err := json.Unmarshal([]byte(output), &measured); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(measured, func(m measure.Measurement) bool { return m.Precision == "bf16" }) {
		t.Errorf("no bf16 in %s", output)
	}
}
