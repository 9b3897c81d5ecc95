package main

import (
	"encoding/json"
	"regexp"
	"testing"

	"github.com/reidbench/reidbench/bench/measure"
)

func TestSimulateThreads(t *testing.T) {
	args := []string{
		"bench", "train", "lenet", "--batch", "2", "--steps", "1", "--threads", "1", "--simulate-threads", "4,16",
	}
	text := succeed(t, args...)
	for _, want := range []string{
		`(?m)^ +4( +[0-9.]+){3}$`, `(?m)^ +16( +[0-9.]+){3}$`,
		`(?m)^Serial: [0-9.]+ ms in all, [0-9.]+ % of the step with 16 threads; longest: .*, [0-9.]+ ms$`,
		`(?m)^features\.0 .* weight gradient +\d+( +[0-9.]+){4}$`,
	} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	var measured []measure.Measurement
	if err := json.Unmarshal([]byte(succeed(t, append(args, "--json")...)), &measured); err != nil {
		t.Fatal(err)
	}
	if s := measured[0].Simulation; s == nil || len(s.Threads) != 2 || s.Threads[1].Threads != 16 {
		t.Errorf("--json has %+v", s)
	}
	for _, misused := range [][]string{
		{"bench", "train", "lenet", "--simulate-threads", "0"},
		{"bench", "train", "lenet", "--simulate-threads", "4,5000"},
		{"bench", "train", "lenet", "--simulate-threads", "many"},
		{"bench", "kernels", "lenet", "--simulate-threads", "4"},
	} {
		if o := reidbench(t, misused...); o.code != exitMisuse {
			t.Errorf("%v: exit code %d\n%s", misused, o.code, o.stderr)
		}
	}
}
