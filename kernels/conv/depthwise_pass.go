package conv

import (
	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/norm"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/vec"
)

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
	depthwiseSchedule
	depthwiseCall
}

// depthwiseCall is the call of a pass that is in flight.
type depthwiseCall struct {
	n                       int // images
	dst, weights, bias, add []float32
	flags                   int
	follows                 act.Kind // an activation that follows when a band is complete
	packed, ws              []float32
	summed                  summedTasks        // of dst, by task
	norm                    *norm.GradientSums // of dst as the gradient of a batch norm's output, by band; nil for none
}

// The stages of a call.
type (
	sortWeights  depthwisePass
	computeBands depthwisePass
)

// depthwiseWindow is what one phase of the destination is computed from.
type depthwiseWindow struct {
	phase
	outH, outW int
	taps       []tap
	triples    int // see sortTriples
}

func newDepthwisePass(s Shape, panel depthwisePanel, top, step int) depthwisePass {
	return depthwisePass{panel: panel, top: top, step: step, kernel: s.KH * s.KW}
}

// addForward adds the only window of the convolution.
func (p *depthwisePass) addForward(s Shape) {
	p.span = s.KH
	p.cut(s.OutH(), s.OutW(), mem.CeilDiv(s.KW, s.SW))
	window := depthwiseWindow{phase: phase{h: s.OutH(), w: s.OutW(), sh: 1, sw: 1}, outH: s.OutH(), outW: s.OutW()}
	for i := range s.KH {
		for j := range s.KW {
			window.taps = append(window.taps, tap{x: p.panel.at(i, j), w: (i*s.KW + j) * channelBlock})
		}
	}
	p.addWindow(window)
}

// addPhases adds the windows of the data gradient, see dataPhase.
func (p *depthwisePass) addPhases(s Shape) {
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
	p.cut(mem.CeilDiv(s.H, s.SH), mem.CeilDiv(s.W, s.SW), max(1, right-p.panel.left))
	for y := range min(s.SH, s.H) {
		for x := range min(s.SW, s.W) {
			kh, lastY, top := phaseTaps(s.KH, s.SH, s.PH, y)
			kw, lastX, left := phaseTaps(s.KW, s.SW, s.PW, x)
			window := depthwiseWindow{
				phase: phase{h: s.H, w: s.W, y0: y, x0: x, sh: s.SH, sw: s.SW},
				outH:  mem.CeilDiv(s.H-y, s.SH), outW: mem.CeilDiv(s.W-x, s.SW),
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
	p.w, p.panel.run = w, mem.RoundUp(w, 4)+columns-1
	p.depthwiseSchedule = newDepthwiseSchedule(p.panel.c, h, nearPanels, func(lines int) int {
		return p.sourceLines(lines) * p.panel.line()
	})
	p.panel.lines = p.sourceLines(p.lines)
}

func (p *depthwisePass) start(n int, dst, src, weights, add, ws []float32) {
	p.n, p.dst, p.panel.src, p.weights, p.bias, p.add, p.flags = n, dst, src, weights, nil, add, 0
	space := mem.NewScratch(ws)
	p.packed = p.takePacked(&space)
	p.ws = space.Rest
	if add != nil {
		p.flags = flagAdd
	}
	if window := &p.windows[0]; mem.Streams(dst, n*window.h*window.w, p.panel.c) {
		p.flags |= flagStream
	}
}

// takePacked takes the weights of all blocks, [block, tap, channel].
func (p *depthwisePass) takePacked(space *mem.Scratch) []float32 {
	return space.Take(p.blocks * p.kernel * channelBlock)
}

// workspace returns the floats of scratch that a pass needs.
func (p *depthwisePass) workspace(threads int) int {
	space := mem.CountingScratch()
	p.takePacked(&space)
	return space.Size() + threads*p.workerSize()
}

func (p *depthwisePass) run(pool *parallel.Pool) {
	pool.Run(p.blocks, (*sortWeights)(p))
	tasks := p.n * p.tasks
	if p.summed.Sums == nil {
		pool.Run(tasks, (*computeBands)(p))
		return
	}
	window := &p.windows[0]
	head := p.dst[:min(p.lines*p.bands, window.h)*window.w*p.panel.c] // what the first task computes
	p.summed.run(pool, 1, tasks, (*computeBands)(p), head, p.panel.c)
}

func (p *computeBands) run(pool *parallel.Pool, tasks int) { pool.Run(tasks, p) }

// Do sorts the weights of one block.
func (p *sortWeights) Do(block, _ int) {
	size, first, c := p.kernel*channelBlock, block*channelBlock, p.panel.c
	vec.CopyRows(p.packed[block*size:][:size], channelBlock, p.weights[first:], c, p.kernel, min(channelBlock, c-first))
}

// depthwiseBand is what some lines of all phases become: whole lines of the destination.
type depthwiseBand struct {
	depthwisePiece           // the one that is computed now
	first          int       // in the destination, in floats
	dst            []float32 // the destination, or where it waits in the caches until its sums are taken
	sums           []float32 // nil for none
}

// bandSize returns the most floats of a band.
func (p *depthwisePass) bandSize() int {
	window := &p.windows[0]
	return min(p.lines*window.sh, window.h) * window.w * p.panel.c
}

// bandsOf returns the number of bands of n images.
func (p *depthwisePass) bandsOf(n int) int { return n * mem.CeilDiv(p.h, p.lines) }

// aside reports whether bands wait in the caches until their sums are taken.
func (p *depthwisePass) aside() bool { return p.norm != nil && p.norm.Aside() }

// takeScratch takes the panel and, if there is a batch norm, the space in which a band waits.
func (p *depthwisePass) takeScratch(space *mem.Scratch) (panel, waiting []float32) {
	panel = space.Take(p.panel.size())
	if p.norm != nil {
		waiting = space.Take(p.bandSize())
	}
	return panel, waiting
}

func (p *depthwisePass) workerSize() int {
	space := mem.CountingScratch()
	p.takeScratch(&space)
	return space.Size()
}

// Do computes some bands of an image.
func (j *computeBands) Do(task, worker int) {
	p := (*depthwisePass)(j)
	task += p.summed.first
	space := mem.NewScratch(p.ws[worker*p.workerSize():][:p.workerSize()])
	panel, waiting := p.takeScratch(&space)
	clear(panel)
	var sums []float32
	if p.summed.Sums != nil {
		sums = p.summed.Block(task)
		clear(sums)
	}
	var band depthwiseBand
	for at, end := p.piece(task), p.piece(task+1); at != end; {
		next := p.following(at)
		if p.beginBand(&band, at, waiting) {
			band.sums = sums
		}
		var soon fetching
		if p.norm != nil {
			soon = fetch(p.norm.X(), band.first+at.block*channelBlock, len(band.dst)/p.panel.c, p.panel.c)
		} else {
			soon = p.fetchFresh(at, next)
		}
		ahead := 0
		if p.norm != nil || p.panel.stride > 1 {
			ahead = p.panel.distance(at, next, p.step)
		}
		p.panel.fill(panel, at.n, p.top+at.begin*p.step, p.sourceLines(at.lines), at.block, ahead)
		p.compute(panel, &band, soon)
		p.endBand(&band)
		at = next
	}
}

// fresh returns where in the source the pixels begin that a panel copies and that the panel of an earlier band has not.
func (p *depthwisePass) fresh(at depthwisePiece) int {
	line := 0
	if at.begin > 0 {
		line = at.begin*p.step + max(0, p.span-p.step+p.top)
	}
	return (at.n*p.panel.h+line)*p.panel.w*p.panel.c + at.block*channelBlock
}

// fetchFresh returns the pixels of the next panel that the copies to this one do not fetch: with a stride, those of the
// first remainder, see depthwisePanel.fill; otherwise all of them.
func (p *depthwisePass) fetchFresh(at, next depthwisePiece) fetching {
	x := &p.panel
	return fetch(x.src, p.fresh(next), mem.CeilDiv(at.lines*p.step*x.w, x.stride), x.stride*x.c)
}

// beginBand sets the piece that is computed next and, if a band begins with it, where that goes: to the destination, or
// to the given space. It reports whether one begins.
func (p *depthwisePass) beginBand(band *depthwiseBand, at depthwisePiece, waiting []float32) bool {
	band.depthwisePiece = at
	if at.block > 0 {
		return false
	}
	window := &p.windows[0]
	from, to := at.begin*window.sh, min((at.begin+at.lines)*window.sh, window.h)
	line := window.w * p.panel.c
	band.first = (at.n*window.h + from) * line
	if size := (to - from) * line; p.aside() {
		band.dst = waiting[:size]
	} else {
		band.dst = p.dst[band.first:][:size]
	}
	return true
}

// endBand does what follows when a band is complete: the activation, or the sums for the batch norm.
func (p *depthwisePass) endBand(band *depthwiseBand) {
	if band.block < p.blocks-1 {
		return
	}
	if p.follows != act.None {
		act.Apply(p.follows, band.dst, band.dst)
	}
	if p.norm != nil {
		p.norm.Block(p.bandsOf(band.n)+band.begin/p.lines, band.first/p.panel.c, band.dst)
	}
}

// compute computes one block of channels of a band. Meanwhile it fetches what is read soon.
func (p *depthwisePass) compute(panel []float32, band *depthwiseBand, soon fetching) {
	c := band.block * channelBlock
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
		t.taps, t.triples = window.taps, window.triples
		t.pixels, t.lines = window.outW, min(band.lines, window.outH-band.begin)
		if t.lines < 1 {
			continue
		}
		at := (window.y0*window.w+window.x0)*p.panel.c + c
		t.yStep, t.yLine = window.sw*p.panel.c, window.sh*window.w*p.panel.c
		t.y = band.dst[at:]
		if p.add != nil {
			t.add = p.add[band.first+at:]
		}
		t.fetching = soon.part(i, len(p.windows))
		t.compute()
	}
}
