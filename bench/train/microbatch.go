package train

import (
	"slices"

	"github.com/reidbench/reidbench/kernels/conv"
	"github.com/reidbench/reidbench/kernels/mem"
)

// Inference computes the first layers, those of large maps and what lies between them, for a few images at a time, a
// micro-batch, before it computes the rest for all. The caches then hold what one layer writes until the next has read
// it, and what only these layers read takes the room of so few images. The first convolution in Strassen's or
// Winograd's form ends it, see plain. No bit of a result depends on it.
const (
	microImages = 2   // for each thread, at most
	largePixels = 384 // of a map, of which so few images are rows enough for a thread
)

// useMicroBatches plans how many of the layers, the first ones, are computed in micro-batches: up to the last one that
// reads or makes large maps.
func useMicroBatches(c *compiler) (applied int) {
	if c.opt.Stage != Inference || c.opt.Batch < 2*c.threads*microImages {
		return 0
	}
	for i, l := range c.layers {
		if kernel, ok := l.(*convLayer); ok && !c.plain(kernel) {
			break
		}
		if c.readsOrMakesLarge(l) {
			c.microLayers = i + 1
		}
	}
	return min(c.microLayers, 1)
}

// plain reports whether a convolution is computed alike for one image and for many, and in a form that gains. In
// Strassen's, which takes rows in blocks, an image's bits depend on those before it; Winograd's transforms its filters
// in every call, and is bound by arithmetic.
func (c *compiler) plain(l *convLayer) bool {
	form := l.kernel.Forms(c.opt.Batch).Forward
	return form != conv.FormStrassen && form != conv.FormWinograd && form == l.kernel.Forms(1).Forward
}

func (c *compiler) readsOrMakesLarge(l layer) bool {
	large := func(v *value) bool { return v.node.Shape.Positions() >= largePixels }
	return large(l.output()) || slices.ContainsFunc(l.inputs(), large)
}

// batchOf returns for how many samples at a time a layer of the list is computed.
func (c *compiler) batchOf(layer int) int {
	if layer < c.microLayers {
		return mem.EqualParts(c.opt.Batch, c.threads*microImages)
	}
	return c.opt.Batch
}

// sizeBuffers decides for how many samples every buffer has room: what later steps read for the whole batch, and what
// micro-batches alone use for one of these.
func (c *compiler) sizeBuffers(microSteps int) {
	for i := range c.buffers {
		s := &c.buffers[i]
		s.samples = c.opt.Batch
		switch {
		case s.constant || s.last < 0 || s.first >= microSteps:
		case s.last < microSteps:
			s.samples = c.batchOf(0)
		case s.fixed > 0:
			panic("train: a micro-batch leaves more than samples")
		default:
			s.first, s.apart = 0, s.perSample // the next micro-batch begins where the last one did
		}
	}
}

// micro says which steps of a forward pass, the first ones, are run for so many images at a time; none if there are 0.
type micro struct{ steps, images int }

// runForward runs the forward pass on n samples.
func (p *Program) runForward(n int) {
	f := &p.frame
	if p.micro.steps > 0 {
		for f.first = 0; f.first < n; f.first += p.micro.images {
			f.n = min(p.micro.images, n-f.first)
			p.run(p.forward[:p.micro.steps])
		}
	}
	f.first, f.n = 0, n
	p.run(p.forward[p.micro.steps:])
}
