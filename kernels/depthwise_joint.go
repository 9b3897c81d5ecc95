package kernels

// depthwiseJoint is the whole backward pass of a depthwise convolution that a batch norm follows. Band by band, the
// data gradient and the sums of the weight gradient are computed from the same two panels: of dy, which is the gradient of that
// batch norm, and of the input.
type depthwiseJoint struct {
	whole    *depthwise
	data     depthwisePass
	gradient depthwiseGradient // whose dy is in the panel of data
}

// newDepthwiseJoint returns nil if there is no such form: a band has as many lines of dy as of every phase of the input.
func newDepthwiseJoint(s ConvShape, d *depthwise) *depthwiseJoint {
	if s.OutH() != ceilDiv(s.H, s.SH) || s.OutW() != ceilDiv(s.W, s.SW) {
		return nil
	}
	j := &depthwiseJoint{whole: d, data: d.data, gradient: d.gradient}
	data, x := &j.data, &j.gradient.conv
	cut := newDepthwiseCut(s.C, s.OutH(), jointPanels, func(lines int) int {
		return data.sourceLines(lines)*data.panel.line() + x.sourceLines(lines)*x.panel.line()
	})
	data.depthwiseCut, x.depthwiseCut = cut, cut
	data.panel.lines, x.panel.lines, j.gradient.dy.lines = data.sourceLines(cut.lines), x.sourceLines(cut.lines), 0
	return j
}

// blocksOf returns the number of blocks of the sums over n samples.
func (j *depthwiseJoint) blocksOf(n int) int { return j.data.bandsOf(n) }

func (j *depthwiseJoint) workspace(n, threads int) int {
	parts := min(n*j.gradient.conv.tasks, gradientParts)
	return cacheLine + j.data.packedSize() + parts*j.gradient.sumSize() + threads*j.workerSize()
}

// workerSize returns the floats of both panels and of a band.
func (j *depthwiseJoint) workerSize() int {
	return j.data.panel.size() + j.gradient.workerSize() + roundUp(j.data.bandSize(), cacheLine)
}

// run computes both gradients, and returns the number of blocks of the sums.
func (j *depthwiseJoint) run(p *Pool, n int, args *Joint, before *GradientSums, ws []float32) int {
	d, g := &j.data, &j.gradient
	d.start(n, args.DX, args.DY.G, args.W, args.Add, ws)
	d.panel.after, d.norm = &args.DY, before
	g.start(n, args.DW, nil, args.X, args.Accumulate, d.ws)
	p.Run(d.blocks, (*depthwisePack)(d))
	p.Run(g.parts(), j)
	p.Run(g.conv.blocks, (*depthwiseGradientSum)(g))
	j.whole.readThrough(nil)
	return d.bandsOf(n)
}

// Do computes the bands of one part of the images.
func (j *depthwiseJoint) Do(part, worker int) {
	d, g := &j.data, &j.gradient
	sums := g.sums[part*g.sumSize():][:g.sumSize()]
	ws := g.ws[worker*j.workerSize():][:j.workerSize()]
	dy, x := ws[:d.panel.size()], ws[d.panel.size():][:g.workerSize()]
	waiting := ws[len(dy)+len(x):]
	clear(sums)
	clear(dy)
	clear(x)
	g.eachBandOf(part, func(n, begin, lines int) {
		band := d.band(n, begin, lines, waiting)
		for block := range d.blocks {
			d.panel.fill(dy, n, d.top+begin, d.sourceLines(lines), block, 0)
			j.readInputs(&band, x, n, block)
			d.compute(dy, &band, block)
			t := g.tapsOf(block, lines, sums, x)
			j.readGradients(&t, dy, n, begin, block)
			t.add()
		}
		d.sumBand(n, &band)
	})
}

// readInputs fills the panel of x. Meanwhile the data gradient fetches the pixels of the next panel of x, and what the sums of the
// batch norm before will read if that is not the same.
func (j *depthwiseJoint) readInputs(band *depthwiseBand, panel []float32, n, block int) {
	conv, norm := &j.gradient.conv, j.data.norm
	x := &conv.panel
	at, pixels := conv.next(n, band.begin, block), len(band.dst)/x.c
	if norm == nil || &norm.X()[0] == &x.src[0] {
		band.fetching = fetch(x.src, at, pixels, x.c)
	} else {
		band.fetching = fetchBoth(x.src, norm.X(), at, pixels, x.c)
	}
	x.fill(panel, n, conv.top+band.begin*conv.step, conv.sourceLines(band.lines), block, 0)
}

// readGradients sets what the taps are multiplied by: the band's own lines of the panel of dy. Behind the last pixel of a line
// there are zeros up to a whole tile. Meanwhile is fetched what the next panel of dy is made of.
func (j *depthwiseJoint) readGradients(t *tapGradient, panel []float32, n, begin, block int) {
	d := &j.data
	dy := &d.panel
	t.dy, t.dyPixel, t.dyLine = panel[-d.top*dy.line()-dy.left*channelBlock:], channelBlock, dy.line()
	t.fetching = fetchBoth(dy.src, dy.after.X, d.next(n, begin, block), t.lines*dy.w, dy.c)
}
