package train

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/reidbench/reidbench/models/graph"
)

// A label says whose step it is: the layer's node, and what is done for it.
type label struct {
	node  *graph.Node
	phase Phase
}

// A Profile gathers where the time of a program's steps goes.
type Profile struct {
	spent map[label]time.Duration
}

// Spent is the time of one phase of one layer, over all runs since profiling began.
type Spent struct {
	Node  *graph.Node // the first node of the layer, where several are fused
	Phase Phase
	Time  time.Duration
}

// StartProfile makes the following runs measure every step.
func (p *Program) StartProfile() *Profile {
	p.profile = &Profile{spent: map[label]time.Duration{}}
	return p.profile
}

// StopProfile ends the measuring.
func (p *Program) StopProfile() { p.profile = nil }

func (p *Profile) run(s *step, f *frame) {
	start := time.Now()
	s.run(f)
	p.spent[s.label] += time.Since(start)
}

// Steps lists what was measured, the longest first.
func (p *Profile) Steps() []Spent {
	steps := make([]Spent, 0, len(p.spent))
	for _, l := range slices.SortedFunc(maps.Keys(p.spent), func(a, b label) int {
		longest := cmp.Compare(p.spent[b], p.spent[a])
		return cmp.Or(longest, cmp.Compare(a.node.ID, b.node.ID), cmp.Compare(a.phase, b.phase))
	}) {
		steps = append(steps, Spent{l.node, l.phase, p.spent[l]})
	}
	return steps
}
