package train

import (
	"time"

	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/models/graph"
)

// A Trace has what each step of a program's list has done in one run, in their order.
type Trace struct {
	Steps     []Traced
	Between   [][]time.Duration // jobs before, between and after the steps, in their order, and their tasks
	recording *parallel.Recording
	jobs      int // of the recording that are in Steps or Between
}

// Traced is one step.
type Traced struct {
	Node  *graph.Node // the first node of the layer, where several are fused
	Phase Phase
	Time  time.Duration     // of the whole step
	Jobs  [][]time.Duration // that it had the pool run, in their order, and their tasks
}

// StartTrace has the following run traced, whose jobs the pool records.
func (p *Program) StartTrace(recording *parallel.Recording) *Trace {
	p.trace = &Trace{recording: recording}
	return p.trace
}

// StopTrace ends the tracing.
func (p *Program) StopTrace() {
	p.trace.Between = append(p.trace.Between, p.trace.next()...)
	p.trace = nil
}

func (t *Trace) run(s *step, f *frame) {
	t.Between = append(t.Between, t.next()...)
	start := time.Now()
	s.run(f)
	took := time.Since(start)
	t.Steps = append(t.Steps, Traced{s.node, s.phase, took, t.next()})
}

// next returns the jobs since it was called last.
func (t *Trace) next() [][]time.Duration {
	from := t.jobs
	t.jobs = len(t.recording.Jobs)
	return t.recording.Jobs[from:]
}
