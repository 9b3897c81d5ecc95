package conv

import (
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/norm"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// depthwiseJoint is the whole backward pass of a depthwise convolution that a batch norm follows. Band by band, the
// data gradient and the sums of the weight gradient are computed from the same two panels: of dy, which is the gradient
// of that batch norm, and of the input.
type depthwiseJoint struct {
	whole    *depthwise
	data     depthwisePass
	gradient depthwiseGradient // whose dy is in the panel of data
}

// joinParts is the stage in which both are computed.
type joinParts depthwiseJoint

// newDepthwiseJoint returns nil if there is no such form: a band has as many lines of dy as of every phase of the
// input.
func newDepthwiseJoint(s Shape, d *depthwise) *depthwiseJoint {
	if s.OutH() != mem.CeilDiv(s.H, s.SH) || s.OutW() != mem.CeilDiv(s.W, s.SW) {
		return nil
	}
	j := &depthwiseJoint{whole: d, data: d.data, gradient: d.gradient}
	data, x := &j.data, &j.gradient.conv
	schedule := newDepthwiseSchedule(s.C, s.OutH(), jointPanels, func(lines int) int {
		return data.sourceLines(lines)*data.panel.line() + x.sourceLines(lines)*x.panel.line()
	})
	data.depthwiseSchedule, x.depthwiseSchedule = schedule, schedule
	data.panel.lines, x.panel.lines, j.gradient.dy.lines = data.sourceLines(data.lines), x.sourceLines(x.lines), 0
	return j
}

// blocksOf returns the number of blocks of the sums over n samples.
func (j *depthwiseJoint) blocksOf(n int) int { return j.data.bandsOf(n) }

func (j *depthwiseJoint) workspace(n, threads int) int {
	gradient := j.gradient
	gradient.n = n
	space := mem.CountingScratch()
	j.data.takePacked(&space)
	gradient.takeSums(&space)
	return space.Size() + threads*j.workerSize()
}

// takeScratch takes the panels of dy and x and the space in which a band waits.
func (j *depthwiseJoint) takeScratch(space *mem.Scratch) (dy, x, waiting []float32) {
	return space.Take(j.data.panel.size()), space.Take(j.gradient.conv.panel.size()), space.Take(j.data.bandSize())
}

func (j *depthwiseJoint) workerSize() int {
	space := mem.CountingScratch()
	j.takeScratch(&space)
	return space.Size()
}

// run computes both gradients, and returns the number of blocks of the sums.
func (j *depthwiseJoint) run(p *parallel.Pool, n int, args *Joint, before *norm.GradientSums, ws []float32) int {
	d, g := &j.data, &j.gradient
	d.start(n, args.DX, args.DY.G, args.W, args.Add, ws)
	d.panel.after, d.norm = &args.DY, before
	g.start(n, args.DW, nil, args.X, args.Accumulate, d.ws)
	p.Run(d.blocks, (*sortWeights)(d))
	p.Run(g.parts(), (*joinParts)(j))
	p.Run(g.conv.blocks, (*addTapSums)(g))
	j.whole.readThrough(nil)
	return d.bandsOf(n)
}

// Do computes the bands of one part of the images.
func (k *joinParts) Do(part, worker int) {
	j := (*depthwiseJoint)(k)
	d, g := &j.data, &j.gradient
	sums := g.sums[part*g.sumSize():][:g.sumSize()]
	space := mem.NewScratch(g.ws[worker*j.workerSize():][:j.workerSize()])
	dy, x, waiting := j.takeScratch(&space)
	clear(sums)
	clear(dy)
	clear(x)
	var band depthwiseBand
	for at, end := g.pieces(part); at != end; {
		next := d.following(at)
		d.beginBand(&band, at, waiting)
		d.panel.fill(dy, at.n, d.top+at.begin, d.sourceLines(at.lines), at.block, 0)
		conv := &g.conv
		conv.panel.fill(x, at.n, conv.top+at.begin*conv.step, conv.sourceLines(at.lines), at.block, 0)
		d.compute(dy, &band, j.fetchInputs(next, len(band.dst)/d.panel.c))
		t := g.tapsOf(at, sums, x)
		j.readGradients(&t, dy, next)
		t.add()
		d.endBand(&band)
		at = next
	}
}

// fetchInputs returns what the data gradient fetches: pixels of the next panel of x, and what the sums of the batch
// norm before will read if that is not the same.
func (j *depthwiseJoint) fetchInputs(next depthwisePiece, pixels int) fetching {
	conv, norm := &j.gradient.conv, j.data.norm
	x, from := &conv.panel, conv.fresh(next)
	if norm == nil || &norm.X()[0] == &x.src[0] {
		return fetch(x.src, from, pixels, x.c)
	}
	return fetchBoth(x.src, norm.X(), from, pixels, x.c)
}

// readGradients sets what the taps are multiplied by: the band's own lines of the panel of dy. After the last pixel of
// a line there are zeros up to a whole tile. Meanwhile is fetched what the next panel of dy is made of.
func (j *depthwiseJoint) readGradients(t *tapGradient, panel []float32, next depthwisePiece) {
	d := &j.data
	dy := &d.panel
	t.dy, t.dyPixel, t.dyLine = panel[-d.top*dy.line()-dy.left*channelBlock:], channelBlock, dy.line()
	t.fetching = fetchBoth(dy.src, dy.after.X, d.fresh(next), t.lines*dy.w, dy.c)
}
