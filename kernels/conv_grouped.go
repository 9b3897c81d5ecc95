package kernels

// grouped is the part of Conv for groups whose channels fill no tile of a matrix product, with windows of 3×3. The lanes
// of a vector are neighbouring output channels: of one group, which then all see the same input channels, or of several
// groups, for which an index vector picks each lane's input. The input of some groups is copied, padding included, to a
// block in which all distances are known to the kernels.
type grouped struct {
	conv     groupedWindows
	data     groupedWindows
	gradient groupedWeights

	current    *groupedWindows // of the call in flight
	scratch    []float32       // of all workers
	workerSize int
	pack       groupedPack
	multiply   groupedMultiply
	sum        groupedSum
	finish     groupedFinish
}

// The stages of a call, each a job of its own.
type (
	groupedPack     struct{ *grouped }
	groupedMultiply struct{ *grouped }
	groupedSum      struct{ *grouped }
	groupedFinish   struct{ *grouped }
)

// maxGroupedChannels is the number of input channels of a group from which the matrix product is no slower.
const maxGroupedChannels = 64

// newGrouped returns nil for shapes that the kernels do not serve.
func newGrouped(s ConvShape, forward, data implicitProduct) *grouped {
	in, out := s.C/s.Groups, s.OutC/s.Groups
	if s.Groups == 1 || s.KH != groupedTaps || s.KW != groupedTaps || s.SH != s.SW || s.SH > 2 || s.PH != 1 || s.PW != 1 ||
		in > maxGroupedChannels || !lanes8.serves(in, out) || !lanes8.serves(out, in) {
		return nil
	}
	window, back := groupedWindow{stride: s.SH}, groupedWindow{stride: s.SH, turned: s.SH == 2}
	if back.turned {
		data = turned(s, data)
	}
	g := &grouped{}
	g.conv, g.data = newGroupedWindows(forward, window), newGroupedWindows(data, back)
	g.gradient.groupedWindows = newGroupedWindows(forward, window)
	g.pack, g.multiply, g.sum, g.finish = groupedPack{g}, groupedMultiply{g}, groupedSum{g}, groupedFinish{g}
	return g
}

// turned makes the data gradient of stride 2 of its first phase: that of all phases, each of which sees some of the taps.
func turned(s ConvShape, p implicitProduct) implicitProduct {
	p.kh, p.kw, p.top, p.left, p.outH, p.outW = s.KH, s.KW, 0, 0, s.H, s.W
	p.tapOffsets = nil
	for tap := range s.KH * s.KW {
		p.tapOffsets = append(p.tapOffsets, tap*p.cols)
	}
	return p
}

// serves tells whether groups of that many input and output channels can be laid out in such vectors. Odd channels would
// have to be copied one by one.
func (s *laneShape) serves(in, out int) bool {
	share := s.share(out)
	return in%2 == 0 && out%2 == 0 && (in < share || in%share == 0)
}

// share returns how many lanes of the block belong to one group of that many output channels: such that some whole
// groups, side by side, are some whole vectors of output channels.
func (s *laneShape) share(out int) int {
	share := 1
	for share < s.lanes && out%(2*share) == 0 {
		share *= 2
	}
	return share
}

// groupedWindows is a convolution, or its data gradient, as a sum over windows of lanes.
type groupedWindows struct {
	implicitProduct
	window  groupedWindow
	through *NormInput // that the input is read through, nil for none
	index   [2][]int32 // of lanes8 and lanes16: for each vector of a block's groups, see groupedTile
}

func newGroupedWindows(p implicitProduct, window groupedWindow) groupedWindows {
	g := groupedWindows{implicitProduct: p, window: window}
	for i, shape := range []*laneShape{&lanes8, &lanes16} {
		share := shape.share(p.cols)
		if share == shape.lanes {
			continue
		}
		for vector := range p.cols / share {
			for k := range share {
				for l := range shape.lanes {
					g.index[i] = append(g.index[i], int32((vector*shape.lanes+l)/p.cols*share+k))
				}
			}
		}
	}
	return g
}

// lanes returns the widest vectors that serve these groups, and the highest tiles that waste no lines.
func (p *groupedWindows) lanes() (shape *laneShape, index []int32) {
	switch {
	case active != AVX512 || !lanes16.serves(p.channels, p.cols):
		return &lanes8, p.index[0]
	case roundUp(p.outH, lowLanes16.tile.rows) < roundUp(p.outH, lanes16.tile.rows):
		return &lowLanes16, p.index[1]
	}
	return &lanes16, p.index[1]
}

// vectorSize returns the length of one vector's weights: [channels, taps, lanes].
func (p *groupedWindows) vectorSize() int {
	shape, _ := p.lanes()
	return p.depth() * shape.lanes
}

func (p *groupedWindows) packedSize() int {
	g := p.plan()
	return g.vectors * p.vectorSize()
}

func (p *groupedWindows) blockSize(g *groupedPlan) int { return p.window.inputs(g.lines) * g.line() }

func (p *groupedWindows) workerSize() int {
	g := p.plan()
	return roundUp(p.blockSize(&g), cacheLine) + roundUp(g.tile.rows*g.tile.cols*g.laneShape.lanes, cacheLine)
}

// packVector packs the weights of one vector of output channels.
func (p *groupedWindows) packVector(vector int) {
	shape, _ := p.lanes()
	width, depth := shape.lanes, p.depth()
	const taps = groupedTaps * groupedTaps
	first := vector * width
	lanes := min(width, p.groups*p.cols-first)
	dst := p.packed[vector*depth*width:][:depth*width]
	zeroColumns(dst, width, lanes, depth)
	for tap := range taps {
		dst := dst[tap*width:]
		if p.transposed {
			transposeRows(dst, taps*width, p.weights[first*p.weightStride+tap*p.channels:], p.weightStride, lanes, p.channels)
			continue
		}
		for l := 0; l < lanes; {
			group, col := (first+l)/p.cols, (first+l)%p.cols
			cols := min(p.cols-col, lanes-l)
			src := p.weights[group*p.channels*p.weightStride+p.tapOffsets[tap]+col:]
			copyRows(dst[l:], taps*width, src, p.weightStride, p.channels, cols)
			l += cols
		}
	}
}

// secondHalf returns how far apart the halves of a vector of the block lie in the image, or zero if it is of more pieces.
func (p *groupedWindows) secondHalf() int {
	shape, _ := p.lanes()
	share, half := shape.share(p.cols), shape.lanes/2
	switch {
	case p.channels == share || p.channels > share && share == shape.lanes: // neighbours in the block as in the image
		return half
	case p.channels > share && share == half:
		return p.channels
	}
	return 0
}

// fill copies the input channels that so many output lines see to a block [line, plane, column, lane]. The padding has been
// cleared, but for lines.
func (p *groupedWindows) fill(block []float32, g *groupedPlan, at groupedPlace, lines int) {
	width, size := g.laneShape.lanes, g.line()
	group := at.vector / g.turn * g.groups
	groups := min(g.groups, p.groups-group)
	inside := max(min(g.column, p.gather.w-p.left), 0) // columns up to here are in the image
	before := min(max(-p.left, 0), inside)             // and those before here are not
	top, count := p.top+p.window.step(at.y), p.window.inputs(lines)
	first := min(max(-top, 0), count)
	last := max(min(count, p.gather.h-top), first)
	clear(block[:first*size])
	clear(block[last*size : count*size])
	if first == last || inside == before {
		return
	}
	channel := group * p.channels
	src := p.src[((at.n*p.gather.h+top+first)*p.gather.w+p.left+before)*p.pixel+channel:]
	second := p.secondHalf()
	for plane := range g.planes {
		dst, src := block[first*size+(plane*g.column+before)*width:], src[plane*g.inner:]
		half := halves{width, second, p.through, channel + plane*g.inner}
		if second > 0 && groups == g.groups {
			half.copy(dst, size, src, p.gather.w*p.pixel, p.pixel, last-first, inside-before)
			continue
		}
		for line := range last - first {
			for q := range groups {
				from := src[line*p.gather.w*p.pixel+q*p.channels:]
				half.copyPart(dst[line*size+q*g.share:], from, p.pixel, inside-before, g.inner, half.channel+q*p.channels)
			}
		}
	}
}

// soon returns the stream of the pixels that a block copies, for so many rounds; none if there is no such image.
func (p *groupedWindows) soon(g *groupedPlan, at groupedPlace, rounds int) fetchStream {
	top := p.top + p.window.step(at.y)
	first, last := max(top, 0), min(top+p.window.inputs(min(g.lines, p.outH-at.y)), p.gather.h)
	if at.n >= p.n || first >= last {
		return fetchStream{}
	}
	group := at.vector / g.turn * g.groups
	from := (at.n*p.gather.h+first)*p.gather.w*p.pixel + group*p.channels
	return newFetchStream(p.src, from, p.pixel, (last-first)*p.gather.w, min(g.groups, p.groups-group)*p.channels, rounds)
}

// past tells whether whole vectors of results are stored past the caches.
func (p *groupedWindows) past(g *groupedPlan) bool {
	return g.laneShape.lanes == cacheLine && streamable(p.dst, p.n*p.outH*p.outW, p.dstPixel)
}

// task computes some blocks.
func (p *groupedWindows) task(task int, ws []float32) {
	g := p.plan()
	width := g.laneShape.lanes
	space := newScratch(ws)
	block, edge := space.take(p.blockSize(&g)), space.take(g.tile.rows*g.tile.cols*width)
	clear(block)
	t := groupedTile{
		lanes: g.laneShape, window: p.window, xLine: g.line(), xPlane: g.column * width, inner: g.inner, planes: g.planes,
	}
	if p.past(&g) {
		defer storeFence()
	}
	last := g.blocks * (task + 1) / g.tasks
	for i := g.blocks * task / g.tasks; i < last; i++ {
		at, next := g.place(i), g.place(i+1)
		if at.n >= p.n {
			continue
		}
		if i+1 == last {
			next.n = p.n
		}
		p.fill(block, &g, at, roundUp(min(g.lines, p.outH-at.y), g.tile.rows))
		end := min(at.vector+g.turn, g.vectors)
		t.soon = p.soon(&g, next, (end-at.vector)*ceilDiv(g.lines, g.tile.rows)*ceilDiv(p.outW, g.tile.cols))
		for v := at.vector; v < end; v++ {
			t.w = p.packed[v*p.vectorSize():][:p.vectorSize()]
			t.index = g.indexOf(v)
			p.strip(&t, &g, groupedPlace{at.n, at.y, v}, block, edge)
		}
	}
}

// strip computes the lines of a block for one vector of output channels.
func (p *groupedWindows) strip(t *groupedTile, g *groupedPlan, at groupedPlace, block, edge []float32) {
	width, rows, cols := g.laneShape.lanes, g.tile.rows, g.tile.cols
	first := at.vector * width
	lanes, lines := min(width, p.dstPixel-first), min(g.lines, p.outH-at.y)
	plain := p.bias == nil && p.add == nil && !p.relu
	for r := 0; r < lines; r += rows {
		whole := 0
		if plain && lanes == width && r+rows <= lines {
			whole = p.outW / cols
		}
		line := block[p.window.step(r)*t.xLine:]
		if whole > 0 {
			t.x, t.tiles, t.past = line, whole, p.past(g)
			t.y, t.yRow, t.yCol = p.dst[p.target(at.n, at.y+r, 0)+first:], p.outW*p.dstPixel, p.dstPixel
			t.compute()
		}
		for x := whole * cols; x < p.outW; x += cols {
			t.x, t.tiles, t.past = line[p.window.step(x)*width:], 1, false
			t.y, t.yRow, t.yCol = edge, cols*width, width
			t.compute()
			for i := range min(rows, lines-r) {
				p.store(edge[i*t.yRow:], width, p.target(at.n, at.y+r+i, x)+first, min(cols, p.outW-x), lanes, plain)
			}
		}
	}
}

// target returns where in dst a pixel is.
func (p *groupedWindows) target(n, y, x int) int { return ((n*p.outH+y)*p.outW + x) * p.dstPixel }

// store writes neighbouring pixels of a tile to dst, with what the epilogue adds.
func (p *groupedWindows) store(src []float32, width, at, pixels, lanes int, plain bool) {
	if plain {
		copyRows(p.dst[at:], p.dstPixel, src, width, pixels, lanes)
		return
	}
	for x := range pixels {
		dst := p.dst[at+x*p.dstPixel:][:lanes]
		for l, v := range src[x*width:][:lanes] {
			if p.bias != nil {
				v += p.bias[at%p.dstPixel+l]
			}
			if p.add != nil {
				v += p.add[at+x*p.dstPixel+l]
			}
			if p.relu {
				v = max(v, 0)
			}
			dst[l] = v
		}
	}
}

// workspace returns the floats of scratch that a call for n samples needs.
func (g *grouped) workspace(n, threads int) int {
	size := 0
	for _, p := range []groupedWindows{g.conv, g.data} {
		p.n = n
		size = max(size, roundUp(p.packedSize(), cacheLine)+threads*(p.workerSize()+cacheLine))
	}
	gradient := g.gradient
	gradient.n = n
	return cacheLine + max(size, gradient.sumSize()+threads*(gradient.workerSize()+cacheLine))
}

// run packs the weights and computes all windows.
func (g *grouped) run(p *Pool, windows *groupedWindows, ws []float32) {
	space := newScratch(ws)
	windows.packed = space.take(windows.packedSize())
	g.current, g.scratch, g.workerSize = windows, space.rest, windows.workerSize()+cacheLine
	plan := windows.plan()
	p.Run(plan.vectors, &g.pack)
	p.Run(plan.tasks, &g.multiply)
}

func (j *groupedPack) Do(task, _ int) { j.current.packVector(task) }

func (j *groupedMultiply) Do(task, worker int) {
	j.current.task(task, j.scratch[worker*j.workerSize:][:j.workerSize])
}

func (g *grouped) forward(p *Pool, n int, y, x, w []float32, e Epilogue, ws []float32) {
	f := &g.conv
	f.n, f.src, f.weights, f.dst, f.add, f.bias, f.relu = n, x, w, y, e.Add, e.Bias, e.Act == ActReLU
	g.run(p, f, ws)
	g.readThrough(nil)
}

// readsThrough reports whether the input can be normalised by a clamp as it is copied: by one kernel, but for the last groups.
func (g *grouped) readsThrough() bool {
	shape, _ := g.conv.lanes()
	return shape.isa == AVX512 && g.conv.secondHalf() > 0
}

// readThrough sets the batch norm that the input is read through in the next call, nil for none.
func (g *grouped) readThrough(norm *NormInput) { g.conv.through, g.gradient.through = norm, norm }

func (g *grouped) backwardData(p *Pool, n int, dx, dy, w, add, ws []float32) {
	d := &g.data
	d.n, d.src, d.weights, d.dst, d.add = n, dy, w, dx, add
	g.run(p, d, ws)
}
