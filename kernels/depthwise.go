package kernels

// depthwise is the part of Conv that convolves every channel on its own. Weights are [KH,KW,C].
type depthwise struct {
	s    ConvShape
	conv depthwiseWindow
	data []depthwiseWindow // one per phase of the stride, as in Conv

	parts    []*depthwiseWindow // of the call in flight
	gradient depthwiseGradient
}

// depthwiseWindow computes the pixels of one phase of an image, each from a window of taps: the convolution itself, or
// its data gradient, which walks the weights backwards.
type depthwiseWindow struct {
	gather
	phase
	n, channels       int
	first, wRow, wCol int // the weights of the first tap, the next tap row and the next tap
	weights           []float32
	dst, bias, add    []float32
	flags             int
}

func newDepthwise(s ConvShape) *depthwise {
	d := &depthwise{s: s}
	d.conv = depthwiseWindow{
		gather: gather{
			h: s.H, w: s.W, pixel: s.C, kh: s.KH, kw: s.KW,
			sh: s.SH, sw: s.SW, top: -s.PH, left: -s.PW, outH: s.OutH(), outW: s.OutW(),
		},
		phase:    phase{h: s.OutH(), w: s.OutW(), sh: 1, sw: 1},
		channels: s.C, wRow: s.KW * s.C, wCol: s.C,
	}
	for y := range min(s.SH, s.H) {
		for x := range min(s.SW, s.W) {
			kh, lastY, top := phaseTaps(s.KH, s.SH, s.PH, y)
			kw, lastX, left := phaseTaps(s.KW, s.SW, s.PW, x)
			d.data = append(d.data, depthwiseWindow{
				gather: gather{
					h: s.OutH(), w: s.OutW(), pixel: s.C, kh: kh, kw: kw,
					sh: 1, sw: 1, top: top, left: left, outH: ceilDiv(s.H-y, s.SH), outW: ceilDiv(s.W-x, s.SW),
				},
				phase:    phase{h: s.H, w: s.W, y0: y, x0: x, sh: s.SH, sw: s.SW},
				channels: s.C, first: (lastY*s.KW + lastX) * s.C, wRow: -s.SH * s.KW * s.C, wCol: -s.SW * s.C,
			})
		}
	}
	d.parts = make([]*depthwiseWindow, 0, len(d.data))
	d.gradient.gather = d.conv.gather
	return d
}

func (d *depthwise) workspace(n int) int {
	d.gradient.n = n
	return d.gradient.size() + 2*cacheLine
}

func (d *depthwise) forward(p *Pool, n int, y, x, w []float32, e Epilogue) {
	d.parts = append(d.parts[:0], &d.conv)
	d.conv.bias = e.Bias
	d.conv.start(n, y, x, w, e.Add)
	if e.Bias != nil {
		d.conv.flags |= flagBias
	}
	if e.Act == ActReLU {
		d.conv.flags |= flagReLU
	}
	p.Run(d.conv.tasks(), d)
}

func (d *depthwise) backwardData(p *Pool, n int, dx, dy, w, add []float32) {
	d.parts = d.parts[:0]
	tasks := 0
	for i := range d.data {
		d.data[i].start(n, dx, dy, w, add)
		d.parts = append(d.parts, &d.data[i])
		tasks += d.data[i].tasks()
	}
	p.Run(tasks, d)
}

// Do computes some lines of the call in flight.
func (d *depthwise) Do(task, _ int) {
	for _, part := range d.parts {
		if n := part.tasks(); task >= n {
			task -= n
			continue
		}
		part.lines(task)
		return
	}
}

func (p *depthwiseWindow) start(n int, dst, src, weights, add []float32) {
	p.n, p.dst, p.src, p.weights, p.add, p.flags = n, dst, src, weights, add, 0
	if add != nil {
		p.flags = flagAdd
	}
}

// linesPerTask keeps tasks at a size where starting one costs little.
func (p *depthwiseWindow) linesPerTask() int { return max(1, taskFloats/(p.outW*p.channels)) }

func (p *depthwiseWindow) tasks() int { return ceilDiv(p.n*p.outH, p.linesPerTask()) }

func (p *depthwiseWindow) lines(task int) {
	begin := task * p.linesPerTask()
	for line := begin; line < min(begin+p.linesPerTask(), p.n*p.outH); line++ {
		p.line(line/p.outH, line%p.outH)
	}
}

// line computes line y of image n: the pixels whose window is inside the image together, those at its sides one by one.
func (p *depthwiseWindow) line(n, y int) {
	iy := p.top + y*p.gather.sh
	i0 := min(max(-iy, 0), p.kh)
	t := tapSum{
		channels: p.channels, flags: p.flags, bias: p.bias,
		rows:  max(min(p.gather.h-iy, p.kh)-i0, 0),
		xStep: p.gather.sw * p.pixel, xRow: p.gather.w * p.pixel, xCol: p.pixel,
		w: p.weights, wRow: p.wRow, wCol: p.wCol,
		yStep: p.phase.sw * p.channels,
	}
	source := (n*p.gather.h + iy + i0) * p.gather.w // pixel number of the line's beginning
	target := ((n*p.phase.h+p.y0+y*p.phase.sh)*p.phase.w + p.x0) * p.channels
	from, to := p.interior()
	for x := 0; x < p.outW; {
		pixels := 1
		if x == from && to > from {
			pixels = to - from
		}
		ix := p.left + x*p.gather.sw
		j0 := min(max(-ix, 0), p.kw)
		t.cols = max(min(p.gather.w-ix, p.kw)-j0, 0)
		t.first = p.first + i0*p.wRow + j0*p.wCol
		if t.rows > 0 && t.cols > 0 {
			t.x = p.src[(source+ix+j0)*p.pixel:]
		}
		t.y = p.dst[target+x*t.yStep:]
		if p.add != nil {
			t.add = p.add[target+x*t.yStep:]
		}
		t.compute(pixels)
		x += pixels
	}
}

// interior returns the positions [from,to) whose taps are all within the line.
func (g *gather) interior() (from, to int) {
	from = min(ceilDiv(max(-g.left, 0), g.sw), g.outW)
	to = from
	if last := g.w - g.kw - g.left; last >= 0 {
		to = max(from, min(g.outW, last/g.sw+1))
	}
	return from, to
}

// depthwiseGradient is the weight gradient: sums over parts of the output lines, which are then added in order.
type depthwiseGradient struct {
	gather
	n    int
	dy   []float32
	sums []float32
}

// gradientParts bounds the number of parts.
const gradientParts = 32

func (p *depthwiseGradient) linesPerPart() int { return ceilDiv(p.n*p.outH, gradientParts) }

func (p *depthwiseGradient) parts() int { return ceilDiv(p.n*p.outH, max(1, p.linesPerPart())) }

func (p *depthwiseGradient) sumSize() int { return roundUp(p.kh*p.kw*p.pixel, cacheLine) }

func (p *depthwiseGradient) size() int { return p.parts() * p.sumSize() }

func (d *depthwise) backwardWeights(p *Pool, n int, dw, dy, x []float32, accumulate bool, ws []float32) {
	g := &d.gradient
	g.n, g.src, g.dy, g.sums = n, x, dy, alignScratch(ws)
	p.Run(g.parts(), g)
	dw = dw[:d.s.Weights()]
	if !accumulate {
		clear(dw)
	}
	addRows(dw, g.sums, g.sumSize(), g.parts(), len(dw))
}

// Do sums over one part of the lines.
func (p *depthwiseGradient) Do(task, _ int) {
	sum := p.sums[task*p.sumSize():][:p.sumSize()]
	clear(sum)
	begin := task * p.linesPerPart()
	for line := begin; line < min(begin+p.linesPerPart(), p.n*p.outH); line++ {
		p.line(sum, line/p.outH, line%p.outH)
	}
}

func (p *depthwiseGradient) line(sum []float32, n, y int) {
	from, to := p.interior()
	dy := p.dy[(n*p.outH+y)*p.outW*p.pixel:]
	for i := range p.kh {
		iy := p.top + y*p.sh + i
		if iy < 0 || iy >= p.h {
			continue
		}
		line := (n*p.h + iy) * p.w
		dw := sum[i*p.kw*p.pixel:]
		for x := 0; x < p.outW; {
			pixels := 1
			if x == from && to > from {
				pixels = to - from
			}
			ix := p.left + x*p.sw
			j0 := min(max(-ix, 0), p.kw)
			if taps := min(p.w-ix, p.kw) - j0; taps > 0 {
				tapGradient(dw[j0*p.pixel:], dy[x*p.pixel:], p.src[(line+ix+j0)*p.pixel:], p.sw*p.pixel, taps, pixels, p.pixel)
			}
			x += pixels
		}
	}
}
