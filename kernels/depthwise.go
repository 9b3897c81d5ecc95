package kernels

// depthwise is the part of Conv that convolves every channel on its own. Weights are [KH,KW,C]. Pieces of the source are
// copied to panels in the first-level cache and computed from there.
type depthwise struct {
	conv, data depthwisePass
	gradient   depthwiseGradient
	joint      *depthwiseJoint // nil if there is none
}

func newDepthwise(s ConvShape) *depthwise {
	d := &depthwise{
		conv: newDepthwisePass(s, depthwisePanel{h: s.H, w: s.W, c: s.C, left: -s.PW, stride: s.SW}, -s.PH, s.SH),
		data: newDepthwisePass(s, depthwisePanel{h: s.OutH(), w: s.OutW(), c: s.C, stride: 1}, 0, 1),
	}
	d.conv.addForward(s)
	d.data.addPhases(s)
	d.gradient = newDepthwiseGradient(s, d.conv)
	d.joint = newDepthwiseJoint(s, d)
	return d
}

func (d *depthwise) workspace(n, threads int) int {
	passes := d.conv.packedSize() + threads*max(d.conv.workerSize(), d.data.workerSize())
	return 3*cacheLine + max(passes, d.gradient.size(n, threads))
}

func (d *depthwise) forward(p *Pool, n int, y, x, w []float32, e Epilogue, ws []float32) {
	c := &d.conv
	c.start(n, y, x, w, e.Add, ws)
	c.bias = e.Bias
	if e.Bias != nil {
		c.flags |= flagBias
	}
	if e.Act == ActReLU {
		c.flags |= flagReLU
	}
	c.run(p)
	d.readThrough(nil)
}

// readThrough sets the batch norm that the input is read through in the next call, nil for none.
func (d *depthwise) readThrough(norm *NormInput) {
	d.conv.panel.norm, d.gradient.conv.panel.norm = norm, norm
	if d.joint != nil {
		d.joint.gradient.conv.panel.norm = norm
	}
}

func (d *depthwise) backwardData(p *Pool, n int, dx, dy, w, add, ws []float32) {
	d.data.start(n, dx, dy, w, add, ws)
	d.data.run(p)
}

func (d *depthwise) backwardWeights(p *Pool, n int, dw, dy, x []float32, accumulate bool, ws []float32) {
	d.gradient.start(n, dw, dy, x, accumulate, ws)
	p.Run(d.gradient.parts(), &d.gradient)
	p.Run(d.gradient.conv.blocks, (*depthwiseGradientSum)(&d.gradient))
	d.readThrough(nil)
}

// depthwisePass computes images from windows of taps: the convolution itself, or its data gradient, which is one
// convolution for each phase of the stride.
type depthwisePass struct {
	panel   depthwisePanel
	top     int // source line of the first tap of line 0
	step    int // source lines from one line to the next
	span    int // source lines that one line needs
	w       int // columns of the largest phase
	kernel  int // weights of a channel
	windows []depthwiseWindow
	depthwiseCut

	n                       int // of the call in flight
	dst, weights, bias, add []float32
	flags                   int
	packed, ws              []float32
	summed                  summedTasks   // of dst, by task
	norm                    *GradientSums // of dst as the gradient of a batch norm's output, by band; nil for none
}

// depthwisePack sorts the weights by blocks of channels, one block a task.
type depthwisePack depthwisePass

// depthwiseWindow is what one phase of the destination is computed from.
type depthwiseWindow struct {
	phase
	outH, outW int
	taps       []tap
	triples    int // see sortTriples
}

func newDepthwisePass(s ConvShape, panel depthwisePanel, top, step int) depthwisePass {
	return depthwisePass{panel: panel, top: top, step: step, kernel: s.KH * s.KW}
}

// addForward adds the only window of the convolution.
func (p *depthwisePass) addForward(s ConvShape) {
	p.span = s.KH
	p.cut(s.OutH(), s.OutW(), ceilDiv(s.KW, s.SW))
	window := depthwiseWindow{phase: phase{h: s.OutH(), w: s.OutW(), sh: 1, sw: 1}, outH: s.OutH(), outW: s.OutW()}
	for i := range s.KH {
		for j := range s.KW {
			window.taps = append(window.taps, tap{x: p.panel.at(i, j), w: (i*s.KW + j) * channelBlock})
		}
	}
	p.addWindow(window)
}

// addPhases adds the windows of the data gradient, see dataPhase.
func (p *depthwisePass) addPhases(s ConvShape) {
	bottom, right := 0, 0
	for y := range min(s.SH, s.H) {
		count, _, top := phaseTaps(s.KH, s.SH, s.PH, y)
		p.top, bottom = min(p.top, top), max(bottom, top+count)
	}
	for x := range min(s.SW, s.W) {
		count, _, left := phaseTaps(s.KW, s.SW, s.PW, x)
		p.panel.left, right = min(p.panel.left, left), max(right, left+count)
	}
	p.span = max(1, bottom-p.top)
	p.cut(ceilDiv(s.H, s.SH), ceilDiv(s.W, s.SW), max(1, right-p.panel.left))
	for y := range min(s.SH, s.H) {
		for x := range min(s.SW, s.W) {
			kh, lastY, top := phaseTaps(s.KH, s.SH, s.PH, y)
			kw, lastX, left := phaseTaps(s.KW, s.SW, s.PW, x)
			window := depthwiseWindow{
				phase: phase{h: s.H, w: s.W, y0: y, x0: x, sh: s.SH, sw: s.SW},
				outH:  ceilDiv(s.H-y, s.SH), outW: ceilDiv(s.W-x, s.SW),
			}
			for i := range kh {
				for j := range kw {
					window.taps = append(window.taps, tap{
						x: p.panel.at(top-p.top+i, left-p.panel.left+j),
						w: ((lastY-i*s.SH)*s.KW + lastX - j*s.SW) * channelBlock,
					})
				}
			}
			p.addWindow(window)
		}
	}
}

func (p *depthwisePass) addWindow(window depthwiseWindow) {
	window.taps, window.triples = sortTriples(window.taps)
	p.windows = append(p.windows, window)
}

// sourceLines returns how many source lines some lines need.
func (p *depthwisePass) sourceLines(lines int) int { return (lines-1)*p.step + p.span }

// cut chooses the size of the panel for h×w outputs that each see a number of columns of each remainder.
func (p *depthwisePass) cut(h, w, columns int) {
	p.w, p.panel.run = w, roundUp(w, 4)+columns-1
	p.depthwiseCut = newDepthwiseCut(p.panel.c, h, nearPanels, func(lines int) int { return p.sourceLines(lines) * p.panel.line() })
	p.panel.lines = p.sourceLines(p.lines)
}

func (p *depthwisePass) start(n int, dst, src, weights, add, ws []float32) {
	p.n, p.dst, p.panel.src, p.weights, p.bias, p.add, p.flags = n, dst, src, weights, nil, add, 0
	space := newScratch(ws)
	p.packed = space.take(p.packedSize())
	p.ws = space.rest
	if add != nil {
		p.flags = flagAdd
	}
	if window := &p.windows[0]; streamable(dst, n*window.h*window.w, p.panel.c) {
		p.flags |= flagStream
	}
}

// packedSize returns the floats of all weights, sorted.
func (p *depthwisePass) packedSize() int { return p.blocks * p.kernel * channelBlock }

func (p *depthwisePass) run(pool *Pool) {
	pool.Run(p.blocks, (*depthwisePack)(p))
	tasks := p.n * p.depthwiseCut.tasks
	if p.summed.Sums == nil {
		pool.Run(tasks, p)
		return
	}
	window := &p.windows[0]
	p.summed.run(pool, 1, tasks, p, p.dst[:min(p.lines*p.bands, window.h)*window.w*p.panel.c], p.panel.c)
}

// Do sorts the weights of one block.
func (p *depthwisePack) Do(block, _ int) {
	size, first := p.kernel*channelBlock, block*channelBlock
	copyRows(p.packed[block*size:][:size], channelBlock, p.weights[first:], p.panel.c, p.kernel, min(channelBlock, p.panel.c-first))
}

// depthwiseBand is what some lines of all phases become: whole lines of the destination.
type depthwiseBand struct {
	begin, lines int       // of a phase
	first        int       // in the destination, in floats
	dst          []float32 // the destination, or where it waits in the caches until its sums are taken
	sums         []float32 // nil for none
	fetching               // while a block of channels is computed
}

// bandSize returns the most floats of a band.
func (p *depthwisePass) bandSize() int {
	window := &p.windows[0]
	return min(p.lines*window.sh, window.h) * window.w * p.panel.c
}

// bandsOf returns the number of bands of n images.
func (p *depthwisePass) bandsOf(n int) int { return n * ceilDiv(p.h, p.lines) }

// aside reports whether bands wait in the caches until their sums are taken.
func (p *depthwisePass) aside() bool { return p.norm != nil && p.norm.Aside() }

// workerSize returns the floats of the panel, and of a band if there is a batch norm.
func (p *depthwisePass) workerSize() int {
	if p.norm == nil {
		return p.panel.size()
	}
	return p.panel.size() + roundUp(p.bandSize(), cacheLine)
}

// Do computes some bands of an image.
func (p *depthwisePass) Do(task, worker int) {
	task += p.summed.first
	ws := p.ws[worker*p.workerSize():][:p.workerSize()]
	panel, waiting := ws[:p.panel.size()], ws[p.panel.size():]
	clear(panel)
	var sums []float32
	if p.summed.Sums != nil {
		sums = p.summed.Block(task)
		clear(sums)
	}
	p.eachBand(task, func(n, begin, lines int) {
		band := p.band(n, begin, lines, waiting)
		band.sums = sums
		for block := range p.blocks {
			if p.norm != nil {
				band.fetching = fetch(p.norm.X(), band.first+block*channelBlock, len(band.dst)/p.panel.c, p.panel.c)
			} else {
				band.fetching = p.fetchNext(n, begin, block, lines)
			}
			ahead := 0
			if p.norm != nil || p.panel.stride > 1 {
				ahead = p.ahead(block, p.lines*p.step, p.panel.w*p.panel.c)
			}
			p.panel.fill(panel, n, p.top+begin*p.step, p.sourceLines(lines), block, ahead)
			p.compute(panel, &band, block)
		}
		p.sumBand(n, &band)
	})
}

// next returns where in the source the pixels begin that the panel after the one of the given block reads: of the next block or, behind
// the last, of the next band. What an earlier band has read is left out.
func (p *depthwisePass) next(n, begin, block int) int {
	if block++; block == p.blocks {
		block, begin = 0, begin+p.lines
	}
	line := begin*p.step + max(0, p.span-p.step+p.top)
	switch {
	case begin >= p.depthwiseCut.h:
		n, line = n+1, 0
	case begin == 0:
		line = 0
	}
	return (n*p.panel.h+line)*p.panel.w*p.panel.c + block*channelBlock
}

// fetchNext returns the pixels of the next panel that the copies to this one do not fetch: all of them or, where the kernel computes
// fewer than it reads, those of the first remainder.
func (p *depthwisePass) fetchNext(n, begin, block, lines int) fetching {
	x := &p.panel
	return fetch(x.src, p.next(n, begin, block), ceilDiv(lines*p.step*x.w, x.stride), x.stride*x.c)
}

// sumBand takes the sums of a band of image n, if there is a batch norm.
func (p *depthwisePass) sumBand(n int, band *depthwiseBand) {
	if p.norm != nil {
		p.norm.Block(p.bandsOf(n)+band.begin/p.lines, band.first/p.panel.c, band.dst)
	}
}

// band returns a band, which waits in the given space if it has to.
func (p *depthwisePass) band(n, begin, lines int, waiting []float32) depthwiseBand {
	window := &p.windows[0]
	from, to := begin*window.sh, min((begin+lines)*window.sh, window.h)
	line := window.w * p.panel.c
	band := depthwiseBand{begin: begin, lines: lines, first: (n*window.h + from) * line}
	if size := (to - from) * line; p.aside() {
		band.dst = waiting[:size]
	} else {
		band.dst = p.dst[band.first:][:size]
	}
	return band
}

// compute computes one block of channels of a band.
func (p *depthwisePass) compute(panel []float32, band *depthwiseBand, block int) {
	c := block * channelBlock
	t := tapSum{
		channels: min(channelBlock, p.panel.c-c), flags: p.flags,
		x: panel, xLine: p.step * p.panel.line(), w: p.packed[c*p.kernel:],
	}
	if p.bias != nil {
		t.bias = p.bias[c:]
	}
	if p.norm != nil {
		t.flags &^= flagStream
	}
	if band.sums != nil {
		t.flags |= flagSums
		t.shift, t.sums, t.sumsRow = p.summed.Shift[c:], band.sums[c:], p.summed.Row
	}
	for i := range p.windows {
		window := &p.windows[i]
		t.taps, t.triples, t.pixels, t.lines = window.taps, window.triples, window.outW, min(band.lines, window.outH-band.begin)
		if t.lines < 1 {
			continue
		}
		at := (window.y0*window.w+window.x0)*p.panel.c + c
		t.yStep, t.yLine = window.sw*p.panel.c, window.sh*window.w*p.panel.c
		t.y = band.dst[at:]
		if p.add != nil {
			t.add = p.add[band.first+at:]
		}
		t.fetching = band.part(i, len(p.windows))
		t.compute()
	}
}
