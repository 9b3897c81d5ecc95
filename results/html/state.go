package html

import (
	"fmt"

	"github.com/reidbench/reidbench/results"
)

// state is how far a line's runs have come.
type state struct {
	Name string // "done", "running", "failed" or "not-run"
	Text string
}

// stateOf looks at records and, where a run has none yet, at its log.
func stateOf(l line) state {
	finished := make(map[uint64]bool)
	done := 0
	for _, r := range l.Records {
		finished[r.Seed] = true
		if r.State == results.StateDone {
			done++
		}
	}
	for _, r := range l.runs {
		if !finished[r.Seed] {
			return state{"running", fmt.Sprintf("epoch %d of %d", r.Epoch, r.Epochs)}
		}
	}
	switch {
	case done > 1:
		return state{"done", fmt.Sprintf("%d seeds", done)}
	case done == 1:
		return state{"done", "done"}
	case len(l.Records) > 0:
		return state{"failed", "failed"}
	}
	return state{"not-run", "not run"}
}
