package train

import "sync/atomic"

// A watch is on a flag that cuts a program's runs short.
type watch struct {
	stop    *atomic.Bool // nil: nothing does
	cut     bool         // the last run was
	running []float32    // the running statistics before the training step under way, which batch norms move in it
}

// Watch has runs end between two steps of the list once stop is set, within a layer's time: what they were to compute
// is then worth nothing.
func (p *Program) Watch(stop *atomic.Bool) {
	p.watch.stop = stop
	if p.options.Stage == Everything {
		p.watch.running = make([]float32, len(p.weights.running))
	}
}

// CutShort reports whether the last run was.
func (p *Program) CutShort() bool { return p.watch.cut }

// ends reports whether to run no further.
func (w *watch) ends() bool {
	w.cut = w.cut || w.stop != nil && w.stop.Load()
	return w.cut
}

// keep notes what a training step changes of the weights before its end.
func (w *watch) keep(weights *Weights) { copy(w.running, weights.running) }

// restore takes that back.
func (w *watch) restore(weights *Weights) {
	if w.running != nil {
		copy(weights.running, w.running)
	}
}
