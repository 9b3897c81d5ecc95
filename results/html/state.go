package html

import (
	"fmt"
	"strings"

	"github.com/reidbench/reidbench/results"
)

// state is how far a line's runs have come.
type state struct {
	State results.State
	Text  string
}

// Class is the state's class in the page.
func (s state) Class() string { return strings.ReplaceAll(string(s.State), " ", "-") }

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
			return state{results.StateRunning, fmt.Sprintf("epoch %d of %d", r.Epoch, r.Epochs)}
		}
	}
	switch {
	case done > 1:
		return state{results.StateDone, fmt.Sprintf("%d seeds", done)}
	case done == 1:
		return state{results.StateDone, "done"}
	case len(l.Records) > 0:
		return state{results.StateFailed, "failed"}
	}
	return state{l.State(), string(l.State())} // not run, or unknown
}
