package conv

import (
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/vec"
)

// depthwiseGradient is the weight gradient: sums over parts of the images, which are then added in order.
type depthwiseGradient struct {
	conv depthwisePass // whose panel it reads, cut for both panels
	dy   depthwisePanel
	taps []tap // the convolution's, and some that fill up the last group

	n          int // of the call in flight
	dw         []float32
	accumulate bool
	sums, ws   []float32
}

// The stages of a call.
type (
	sumTaps    depthwiseGradient
	addTapSums depthwiseGradient
)

// gradientParts bounds the number of parts.
const gradientParts = 32

func newDepthwiseGradient(s Shape, conv depthwisePass) depthwiseGradient {
	g := depthwiseGradient{
		conv: conv,
		dy:   depthwisePanel{h: s.OutH(), w: s.OutW(), c: s.C, stride: 1, run: mem.RoundUp(s.OutW(), 4)},
	}
	g.taps = append(g.taps, conv.windows[0].taps...)
	for len(g.taps)%gradientTaps != 0 {
		g.taps = append(g.taps, g.taps[0])
	}
	limit := nearPanels // dy counts wherever it is: it passes through the same cache
	if g.fetches() {
		limit = farPanels
	}
	g.conv.depthwiseSchedule = newDepthwiseSchedule(s.C, s.OutH(), limit, func(lines int) int {
		return conv.sourceLines(lines)*conv.panel.line() + lines*g.dy.line()
	})
	g.conv.panel.lines, g.dy.lines = conv.sourceLines(g.conv.lines), g.conv.lines
	if g.direct() {
		g.dy.lines = 0
	}
	return g
}

// direct reports whether dy is read where it is: its lines are whole tiles.
func (g *depthwiseGradient) direct() bool { return g.dy.run == g.dy.w }

// fetches reports whether the kernel fetches all that is read, as x has as many pixels as dy.
func (g *depthwiseGradient) fetches() bool { return g.conv.step == 1 && g.conv.panel.stride == 1 }

// takeScratch takes the two panels.
func (g *depthwiseGradient) takeScratch(space *mem.Scratch) (x, dy []float32) {
	return space.Take(g.conv.panel.size()), space.Take(g.dy.size())
}

func (g *depthwiseGradient) workerSize() int {
	space := mem.CountingScratch()
	g.takeScratch(&space)
	return space.Size()
}

// perPart returns a part's share of the tasks.
func (g *depthwiseGradient) perPart() int {
	return max(1, mem.CeilDiv(g.n*g.conv.tasks, gradientParts))
}

func (g *depthwiseGradient) parts() int { return mem.CeilDiv(g.n*g.conv.tasks, g.perPart()) }

// blockSize returns the floats of the sums of one block of channels.
func (g *depthwiseGradient) blockSize() int { return len(g.taps) * channelBlock }

// sumSize returns the floats of a part's sums.
func (g *depthwiseGradient) sumSize() int { return g.conv.blocks * g.blockSize() }

// takeSums takes the sums of all parts.
func (g *depthwiseGradient) takeSums(space *mem.Scratch) []float32 {
	return space.Take(g.parts() * g.sumSize())
}

func (g *depthwiseGradient) workspace(n, threads int) int {
	of := *g
	of.n = n
	space := mem.CountingScratch()
	of.takeSums(&space)
	return space.Size() + threads*of.workerSize()
}

func (g *depthwiseGradient) start(n int, dw, dy, x []float32, accumulate bool, ws []float32) {
	g.n, g.dw, g.accumulate, g.dy.src, g.conv.panel.src = n, dw, accumulate, dy, x
	space := mem.NewScratch(ws)
	g.sums = g.takeSums(&space)
	g.ws = space.Rest
}

// Do sums over one part of the images.
func (j *sumTaps) Do(part, worker int) {
	g := (*depthwiseGradient)(j)
	sums := g.sums[part*g.sumSize():][:g.sumSize()]
	space := mem.NewScratch(g.ws[worker*g.workerSize():][:g.workerSize()])
	x, dy := g.takeScratch(&space)
	clear(sums)
	clear(x)
	clear(dy)
	for at, end := g.pieces(part); at != end; {
		next := g.conv.following(at)
		t := g.tapsOf(at, sums, x)
		g.readInputs(&t, x, at, next)
		g.readGradients(&t, dy, at, next)
		t.add()
		at = next
	}
}

// pieces returns the first piece of a part, and the first one after it.
func (g *depthwiseGradient) pieces(part int) (first, end depthwisePiece) {
	return g.conv.piece(part * g.perPart()), g.conv.piece(min((part+1)*g.perPart(), g.n*g.conv.tasks))
}

// tapsOf returns what is to be added up for a piece, without dy.
func (g *depthwiseGradient) tapsOf(at depthwisePiece, sums, x []float32) tapGradient {
	return tapGradient{
		channels: min(channelBlock, g.dy.c-at.block*channelBlock), pixels: g.dy.w, lines: at.lines,
		sums: sums[at.block*g.blockSize():], x: x, xLine: g.conv.step * g.conv.panel.line(), taps: g.taps,
	}
}

// readInputs fills the panel of x for a piece of dy.
func (g *depthwiseGradient) readInputs(t *tapGradient, panel []float32, at, next depthwisePiece) {
	conv, x, ahead := &g.conv, &g.conv.panel, 0
	if g.fetches() {
		t.fetching = fetchBoth(x.src, g.dy.src, conv.fresh(next), at.lines*x.w, x.c)
	} else {
		t.fetching, ahead = conv.fetchFresh(at, next), x.distance(at, next, conv.step)
	}
	x.fill(panel, at.n, conv.top+at.begin*conv.step, conv.sourceLines(at.lines), at.block, ahead)
}

// readGradients sets what the taps are multiplied by: the image itself, or a panel of it.
func (g *depthwiseGradient) readGradients(t *tapGradient, panel []float32, at, next depthwisePiece) {
	dy := &g.dy
	if g.direct() {
		t.dy, t.dyPixel, t.dyLine = dy.src[(at.n*dy.h+at.begin)*dy.w*dy.c+at.block*channelBlock:], dy.c, dy.w*dy.c
		return
	}
	t.dy, t.dyPixel, t.dyLine = panel, channelBlock, dy.line()
	dy.fill(panel, at.n, at.begin, at.lines, at.block, dy.distance(at, next, 1))
}

// Do adds up one block of channels.
func (j *addTapSums) Do(block, _ int) {
	g := (*depthwiseGradient)(j)
	size := g.blockSize()
	sum := g.sums[block*size:][:size] // of the first part
	if parts := g.parts(); parts > 1 {
		vec.AddRows(sum, g.sums[g.sumSize()+block*size:], g.sumSize(), parts-1, size)
	}
	first := block * channelBlock
	channels := min(channelBlock, g.dy.c-first)
	for t, tap := range g.conv.windows[0].taps {
		dw, sum := g.dw[tap.w/channelBlock*g.dy.c+first:][:channels], sum[t*channelBlock:][:channels]
		if g.accumulate {
			vec.AddScaled(dw, dw, sum, 1)
		} else {
			copy(dw, sum)
		}
	}
}
