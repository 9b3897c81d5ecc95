package train

import (
	"math"
	"slices"
	"sync/atomic"
	"testing"
)

// TestCutShort ends a training step before each of its list's steps in turn. The weights are as before it, running
// statistics included, and the step after it is the one that it would have been.
func TestCutShort(t *testing.T) {
	for _, s := range samples {
		if s.large() {
			continue // it has the same steps as a small one
		}
		for _, stage := range []Stage{ClassifierOnly, Everything} {
			t.Run(s.name+"/"+stage.String(), func(t *testing.T) {
				undisturbed, want := sampleProgram(t, s, 2, Options{Stage: stage, Seed: 9})
				loss := undisturbed.Train(3, 5)
				p, w := sampleProgram(t, s, 2, Options{Stage: stage, Seed: 9})
				var stop atomic.Bool
				p.Watch(&stop)
				before := w.Copy()
				for _, list := range [][]step{p.forward, p.backward} {
					for i := range list {
						run := list[i].run
						list[i].run = func(f *frame) {
							stop.Store(true)
							run(f)
						}
						got := p.Train(3, 5)
						list[i].run = run
						last := &list[i] == &p.backward[len(p.backward)-1]
						if !last && (!p.CutShort() || !math.IsNaN(got)) || last && p.CutShort() {
							t.Errorf("stopped in step %d (%v): cut short is %t, the loss %v", i, list[i].label.phase,
								p.CutShort(), got)
						}
						if !last && (!slices.Equal(before.parameters, w.parameters) ||
							!slices.Equal(before.running, w.running)) {
							t.Errorf("stopped in step %d (%v): the weights have changed", i, list[i].label.phase)
						}
						stop.Store(false)
					}
				}
				copy(w.running, before.running) // the last has not been cut short
				if got := p.Train(3, 5); got != loss || p.CutShort() {
					t.Errorf("the loss after it is %v, want %v", got, loss)
				}
				if !slices.Equal(undisturbed.gradients, p.gradients) || !slices.Equal(want.running, w.running) {
					t.Error("gradients or running statistics after it are others")
				}
			})
		}
	}
}
