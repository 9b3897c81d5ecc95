package train

import "github.com/reidbench/reidbench/kernels"

// dissolve leaves out concatenations that nobody needs as one: only batch norms read them, which take the parts where they lie,
// and give each part its own gradient. Concatenations of concatenations take the parts of those, too.
func (c *compiler) dissolve() {
	dissolved := map[layer]bool{}
	for _, l := range c.layers {
		if l, ok := l.(*concatLayer); ok {
			dissolved[l] = c.dissolves(l)
		}
	}
	parts := map[*value][]*value{}
	flat := func(in []*value) (out []*value) {
		for _, v := range in {
			if of := parts[v]; of != nil {
				out = append(out, of...)
			} else {
				out = append(out, v)
			}
		}
		return out
	}
	kept := c.layers[:0]
	for _, l := range c.layers {
		switch l := l.(type) {
		case *concatLayer:
			if l.in = flat(l.in); dissolved[l] {
				parts[l.out] = l.in
			}
		case *batchNormLayer:
			l.in = flat(l.in)
		}
		if !dissolved[l] {
			kept = append(kept, l)
		}
	}
	c.layers = kept
	c.findReaders()
}

func (c *compiler) dissolves(l *concatLayer) bool {
	if len(l.out.readers) == 0 || l.out == c.values[c.graph.Features] || l.out == c.values[c.graph.Logits] {
		return false
	}
	for _, reader := range l.out.readers {
		switch reader := reader.(type) {
		case *concatLayer:
			if reader.positions() != l.positions() {
				return false
			}
		case *batchNormLayer:
			if reader.at.Shape != l.at.Shape || !reader.takesParts() {
				return false
			}
		default:
			return false
		}
	}
	return l.joinsOnce(map[*value]bool{})
}

// joinsOnce tells whether no value is in a concatenation twice.
func (l *concatLayer) joinsOnce(seen map[*value]bool) bool {
	for _, v := range l.in {
		if seen[v] {
			return false
		}
		seen[v] = true
		if inner, ok := v.maker.(*concatLayer); ok && !inner.joinsOnce(seen) {
			return false
		}
	}
	return true
}

// takesParts tells whether the input may be in parts: nothing but convolutions reads the output, and the last of them to add to
// its gradient takes the sums of it.
func (l *batchNormLayer) takesParts() bool {
	if !l.fuses || l.residual != nil || len(l.out.readers) == 0 {
		return false
	}
	for _, reader := range l.out.readers {
		if _, ok := reader.(*convLayer); !ok {
			return false
		}
	}
	last := l.out.readers[0].(*convLayer)
	return last.normBefore() == l && last.kernel.SumsPartsGradient(l.kernel)
}

func (l *batchNormLayer) inParts() bool { return l.residual == nil && len(l.in) > 1 }

// moments are the means and variances of a value's channels over the batch. All batch norms that read it share them.
type moments struct {
	channels       int
	mean, variance buffer
}

// momentsOf returns the moments of a value, and appends the step that computes them the first time.
func (c *compiler) momentsOf(v *value, at label, positions int) *moments {
	channels := v.size / positions
	if m := v.moments; m != nil && m.channels == channels {
		return m
	}
	m := &moments{channels, c.newBuffer(0, channels), c.newBuffer(0, channels)}
	v.moments = m
	kernel, x := kernels.NewBatchNorm(channels, 0, 0, kernels.ActNone), c.read(v)
	c.scratch(kernel.Workspace(c.opt.Batch*positions, c.threads))
	c.emit(at, []buffer{x}, []buffer{m.mean, m.variance}, func(f *frame) {
		kernel.Moments(f.pool, f.n*positions, f.at(x), kernels.Moments{Mean: f.at(m.mean), Variance: f.at(m.variance)}, f.ws)
	})
	return m
}

func (l *batchNormLayer) statisticsOfParts(c *compiler, mean, invStd buffer, runMean, runVar []float32) {
	kernel, positions := l.kernel, l.positions()
	var of []*moments
	var reads []buffer
	for _, v := range l.in {
		m := c.momentsOf(v, l.step(Statistics), positions)
		of, reads = append(of, m), append(reads, m.mean, m.variance)
	}
	taken := make([]kernels.Moments, len(of))
	c.emit(l.step(Statistics), reads, []buffer{mean, invStd}, func(f *frame) {
		for i, m := range of {
			taken[i] = kernels.Moments{Mean: f.at(m.mean), Variance: f.at(m.variance)}
		}
		to := kernels.Statistics{Mean: f.at(mean), InvStd: f.at(invStd), RunMean: runMean, RunVar: runVar}
		kernel.StatsOfParts(f.n*positions, taken, to)
	})
}

// backwardParts appends the step that gives every part its gradient.
func (l *batchNormLayer) backwardParts(c *compiler, g buffer, at normalised, dGamma, dBeta []float32, accumulate bool) {
	kernel, positions, sums, fixed := l.kernel, l.positions(), l.summed, l.frozen
	var parts []contribution
	reads, writes := append(at.buffers(), g, sums.buffer), []buffer(nil)
	for _, v := range l.in {
		k := c.contribute(v, true, none)
		parts, reads, writes = append(parts, k), append(reads, k.add), append(writes, k.dst)
	}
	gradients := make([]kernels.PartGradient, len(parts))
	c.emit(l.step(Gradient), reads, writes, func(f *frame) {
		for i, k := range parts {
			gradients[i] = kernels.PartGradient{DX: f.at(k.dst), Add: f.at(k.add)}
		}
		of := kernels.BatchNormGradient{
			DY: f.at(g), At: at.at(f), Fixed: fixed, DGamma: dGamma, DBeta: dBeta, Accumulate: accumulate,
		}
		kernel.BackwardSummedParts(f.pool, f.n*positions, gradients, of, sums.blocks, f.at(sums.buffer))
	})
	for _, k := range parts {
		k.done()
	}
}
