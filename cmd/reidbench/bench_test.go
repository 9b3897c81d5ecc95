package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

func TestBench(t *testing.T) {
	text := succeed(t, "bench", "infer", "lenet", "--batch", "2", "--steps", "3", "--threads", "1")
	// golang.org/design/14313-benchmark-format: name, iterations, then pairs of value and unit.
	line := regexp.MustCompile(
		`(?m)^BenchmarkInfer/model=lenet/batch=2/threads=1-\d+\t1\t\d+ ns/op(\t[0-9.e+-]+ \S+)+$`)
	lines := line.FindAllString(text, -1)
	if len(lines) != 3 || !strings.Contains(lines[0], " img/s\t") {
		t.Errorf("%d lines for 3 steps:\n%s", len(lines), text)
	}
	if !strings.HasPrefix(text, "goos: ") || !strings.Contains(text, "\nisa: ") {
		t.Errorf("nothing about the machine:\n%s", text)
	}

	text = succeed(t, "bench", "infer", "lenet", "--bnneck", "--input-size", "64x64", "--batch", "2", "--steps", "1")
	if want := "/model=lenet/variant=bnneck,input-size=64x64/batch=2/"; !strings.Contains(text, want) {
		t.Errorf("no %s:\n%s", want, text)
	}

	var measured []map[string]any
	if err := json.Unmarshal([]byte(succeed(t, "bench", "lenet", "--batch", "2", "--steps", "1", "--json")),
		&measured); err != nil {
		t.Fatal(err)
	}
	if len(measured) != 1 || measured[0]["mode"] != "train" || measured[0]["model"] != "lenet" {
		t.Fatalf("measured %v", measured)
	}
	for _, field := range []string{
		"batch", "threads", "precision", "img_per_s", "gflops", "peak_share", "planned_bytes", "peak_rss_bytes",
	} {
		if _, ok := measured[0][field]; !ok {
			t.Errorf("no field %q in %v", field, measured[0])
		}
	}
}
