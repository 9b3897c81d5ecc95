package kernels

// grouped is the part of Conv for groups whose channels fill no tile of a matrix product. The lanes of a vector are
// neighbouring output channels: of one group, which then all see the same input channels, or of several groups, for which
// an index vector picks each lane's input. The input of some groups is copied, padding included, to a block in which all
// distances are known to the kernels.
type grouped struct {
	conv     groupedWindows
	data     []groupedWindows // one per phase of the stride, as in Conv
	gradient groupedWeights

	parts      []*groupedWindows // of the call in flight
	scratch    []float32         // of all workers
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

// maxGroupedDepth is the number of taps × channels from which the matrix product is no slower.
const maxGroupedDepth = 9 * 64

// newGrouped returns nil for shapes that the kernels do not serve.
func newGrouped(s ConvShape, forward implicitProduct, data []implicitProduct) *grouped {
	in, out := s.C/s.Groups, s.OutC/s.Groups
	if s.Groups == 1 || s.KW != 3 || s.SW > 2 || s.KH < s.SH || s.W < s.SW || s.H < s.SH || s.KH*s.KW*in > maxGroupedDepth ||
		!lanes8.serves(in, out) || !lanes8.serves(out, in) {
		return nil
	}
	g := &grouped{}
	g.conv = newGroupedWindows(forward)
	for _, phase := range data {
		g.data = append(g.data, newGroupedWindows(phase))
	}
	g.gradient.groupedWindows = newGroupedWindows(forward)
	g.parts = make([]*groupedWindows, 0, len(data))
	g.pack, g.multiply, g.sum, g.finish = groupedPack{g}, groupedMultiply{g}, groupedSum{g}, groupedFinish{g}
	return g
}

// serves tells whether groups of that many input and output channels can be laid out in such vectors. The kernels of the
// weight gradient take input channels in pairs.
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

// groupedWindows is a convolution, or one phase of its data gradient, as a sum over windows of lanes.
type groupedWindows struct {
	implicitProduct
	index [2][]int32 // of lanes8 and lanes16: for each vector of a block's groups, see groupedTile
}

func newGroupedWindows(p implicitProduct) groupedWindows {
	g := groupedWindows{implicitProduct: p}
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

// lanes returns the widest vectors that serve these groups.
func (p *groupedWindows) lanes() (shape *laneShape, index []int32) {
	if active == AVX512 && lanes16.serves(p.channels, p.cols) {
		return &lanes16, p.index[1]
	}
	return &lanes8, p.index[0]
}

// groupedPlan is how the work of a call is cut. It depends on the shape and the instruction set only.
type groupedPlan struct {
	*laneShape
	index   []int32
	narrow  int
	share   int // lanes of the block that belong to one group
	groups  int // whose input lies in the block
	turn    int // vectors of output channels that these groups are
	inner   int // input channels of a group in a plane of the block
	planes  int
	vectors int // of output channels
	column  int // positions in a line of the block
	lines   int // output lines of a task
	strips  int // tasks that an image's lines are cut into
	images  int // of a task
	batch   int // vectors of a task
	tasks   int
}

// Sizes of tasks: a block that leaves room in the second-level cache, lines of all channels that stay there while the
// vectors take turns, enough pixels to pay for the weights, and enough tasks to keep threads busy.
const (
	groupedBlock  = 1 << 15
	groupedStrip  = 1 << 17
	groupedPixels = 512
	groupedTasks  = 128
)

func (p *groupedWindows) plan() groupedPlan {
	g := groupedPlan{}
	g.laneShape, g.index = p.lanes()
	g.narrow = g.laneShape.narrow(p.outW)
	tile, width := g.tiles[g.narrow], g.laneShape.lanes
	g.share = g.laneShape.share(p.cols)
	g.groups = width / g.share
	g.turn = p.cols / g.share
	g.inner = min(p.channels, g.share)
	g.planes = p.channels / g.inner
	g.vectors = ceilDiv(p.groups*p.cols, width)
	g.column = (roundUp(p.outW, max(tile.cols, g.blocks[g.narrow]))-1)*p.sw + p.kw
	most := (groupedBlock/(g.planes*g.column*width)-p.kh)/p.sh + 1
	most = min(most, groupedStrip/(p.sh*p.gather.w*p.pixel+p.outW*p.dstPixel))
	g.strips = ceilDiv(p.outH, max(most, 2*tile.rows))
	g.lines = roundUp(ceilDiv(p.outH, g.strips), tile.rows)
	g.strips = ceilDiv(p.outH, g.lines)
	g.images = max(1, groupedPixels/(p.outH*p.outW))
	parts := g.strips * ceilDiv(p.n, g.images)
	g.batch = min(max(1, g.vectors*parts/groupedTasks), g.vectors)
	g.tasks = ceilDiv(g.vectors, g.batch) * parts
	return g
}

// indexOf returns what picks the inputs of the lanes of one vector.
func (g *groupedPlan) indexOf(vector int) []int32 {
	if g.index == nil {
		return nil
	}
	size := g.share * g.laneShape.lanes
	return g.index[vector%g.turn*size:][:size]
}

// blockLines returns the lines of the block that so many output lines see.
func (p *groupedWindows) blockLines(lines int) int { return (lines-1)*p.sh + p.kh }

func (g *groupedPlan) blockLine() int { return g.planes * g.column * g.laneShape.lanes }

// packedSize returns the length of the packed weights: for each vector [taps·channels, lanes].
func (p *groupedWindows) packedSize() int {
	shape, _ := p.lanes()
	return ceilDiv(p.groups*p.cols, shape.lanes) * p.depth() * shape.lanes
}

func (p *groupedWindows) workerSize() int {
	g := p.plan()
	tile := g.tiles[g.narrow]
	return roundUp(p.blockLines(g.lines)*g.blockLine(), cacheLine) + roundUp(tile.rows*tile.cols*g.laneShape.lanes, cacheLine)
}

// packVector packs the weights of one vector of output channels.
func (p *groupedWindows) packVector(vector int) {
	shape, _ := p.lanes()
	width, depth := shape.lanes, p.depth()
	first := vector * width
	lanes := min(width, p.groups*p.cols-first)
	dst := p.packed[vector*depth*width:][:depth*width]
	zeroColumns(dst, width, lanes, depth)
	if p.transposed {
		transposeRows(dst, width, p.weights[first*p.weightStride:], p.weightStride, lanes, depth)
		return
	}
	for l := 0; l < lanes; {
		group, col := (first+l)/p.cols, (first+l)%p.cols
		cols := min(p.cols-col, lanes-l)
		for tap, offset := range p.tapOffsets {
			src := p.weights[group*p.channels*p.weightStride+offset+col:]
			copyRows(dst[tap*p.channels*width+l:], width, src, p.weightStride, p.channels, cols)
		}
		l += cols
	}
}

// fill copies the input channels of one vector that the output lines [y, y+lines) of image n see to a block
// [line, plane, column, lane], zeros in the padding.
func (p *groupedWindows) fill(block []float32, g *groupedPlan, n, vector, y, lines int) {
	width := g.laneShape.lanes
	group := vector / g.turn * g.groups
	groups := min(g.groups, p.groups-group)
	inside := max(min(g.column, p.gather.w-p.left), 0) // columns up to here are in the image
	before := min(max(-p.left, 0), inside)             // and those before here are not
	size := g.column * width
	for line := range p.blockLines(lines) {
		iy := p.top + y*p.sh + line
		for plane := range g.planes {
			dst := block[:size]
			block = block[size:]
			if iy < 0 || iy >= p.gather.h || inside == before {
				clear(dst)
				continue
			}
			clear(dst[:before*width])
			clear(dst[inside*width:])
			dst = dst[before*width:]
			src := p.src[((n*p.gather.h+iy)*p.gather.w+p.left+before)*p.pixel+group*p.channels+plane*g.inner:]
			if p.channels == g.share { // the groups are neighbours in the block as they are in the image
				copyRows(dst, width, src, p.pixel, inside-before, groups*g.inner)
				continue
			}
			for q := range groups {
				copyRows(dst[q*g.share:], width, src[q*p.channels:], p.pixel, inside-before, g.inner)
			}
		}
	}
}

// task computes a strip of lines of some images for some vectors of output channels.
func (p *groupedWindows) task(task int, ws []float32) {
	g := p.plan()
	batches := ceilDiv(g.vectors, g.batch)
	vector := task % batches * g.batch
	y := task / batches % g.strips * g.lines
	image := task / (batches * g.strips) * g.images
	width := g.laneShape.lanes
	tile := g.tiles[g.narrow]

	space := newScratch(ws)
	block, edge := space.take(p.blockLines(g.lines)*g.blockLine()), space.take(tile.rows*tile.cols*width)
	t := groupedTile{
		lanes: g.laneShape, narrow: g.narrow, taps: p.kw, stride: p.sw,
		xRow: p.sh * g.blockLine(), xLine: g.blockLine(), xPlane: g.column * width,
		wTap: p.channels * width, inner: g.inner, planes: g.planes, kh: p.kh,
	}
	for v := vector; v < min(vector+g.batch, g.vectors); v++ {
		t.w = p.packed[v*p.depth()*width:][:p.depth()*width]
		t.index = g.indexOf(v)
		for n := image; n < min(image+g.images, p.n); n++ {
			p.strip(&t, &g, n, v, y, block, edge)
		}
	}
}

// strip computes the lines from y on of image n for one vector of output channels.
func (p *groupedWindows) strip(t *groupedTile, g *groupedPlan, n, vector, y int, block, edge []float32) {
	tile, width := g.tiles[g.narrow], g.laneShape.lanes
	first := vector * width
	lanes, lines := min(width, p.dstPixel-first), min(g.lines, p.outH-y)
	plain := lanes == width && p.bias == nil && p.add == nil && !p.relu
	dstRow, dstCol := p.phase.sh*p.phase.w*p.dstPixel, p.phase.sw*p.dstPixel
	if v := vector % g.turn; v == 0 || vector%g.batch == 0 || g.images > 1 {
		p.fill(block, g, n, vector, y, roundUp(lines, tile.rows))
	}
	for r := 0; r < lines; r += tile.rows {
		rows := min(tile.rows, lines-r)
		whole := 0
		if plain && rows == tile.rows {
			whole = p.outW / tile.cols
		}
		if whole > 0 {
			t.x, t.tiles = block[r*t.xRow:], whole
			t.y, t.yRow, t.yCol = p.dst[p.target(n, y+r, 0)+first:], dstRow, dstCol
			t.compute()
		}
		for x := whole * tile.cols; x < p.outW; x += tile.cols {
			t.x, t.tiles = block[r*t.xRow+x*p.sw*width:], 1
			t.y, t.yRow, t.yCol = edge, tile.cols*width, width
			t.compute()
			for i := range rows {
				at := p.target(n, y+r+i, x) + first
				p.store(edge[i*t.yRow:], width, at, min(tile.cols, p.outW-x), lanes, plain)
			}
		}
	}
}

// target returns where in dst the pixel at line y and column x of this phase is.
func (p *groupedWindows) target(n, y, x int) int {
	return ((n*p.phase.h+p.phase.y0+y*p.phase.sh)*p.phase.w + p.phase.x0 + x*p.phase.sw) * p.dstPixel
}

// store writes neighbouring pixels of a tile to dst, with what the epilogue adds.
func (p *groupedWindows) store(src []float32, width, at, pixels, lanes int, plain bool) {
	step := p.phase.sw * p.dstPixel
	if plain {
		copyRows(p.dst[at:], step, src, width, pixels, lanes)
		return
	}
	for x := range pixels {
		dst := p.dst[at+x*step:][:lanes]
		for l, v := range src[x*width:][:lanes] {
			if p.bias != nil {
				v += p.bias[at%p.dstPixel+l]
			}
			if p.add != nil {
				v += p.add[at+x*step+l]
			}
			if p.relu {
				v = max(v, 0)
			}
			dst[l] = v
		}
	}
}

func (g *grouped) start(n int, parts ...*groupedWindows) {
	g.parts = append(g.parts[:0], parts...)
	for _, part := range g.parts {
		part.n = n
	}
}

func (g *grouped) startData(n int) {
	g.parts = g.parts[:0]
	for i := range g.data {
		g.data[i].n = n
		g.parts = append(g.parts, &g.data[i])
	}
}

// size returns the workspace of the call in flight.
func (g *grouped) size(threads int) int {
	size, workerSize := cacheLine, 0
	for _, p := range g.parts {
		size += roundUp(p.packedSize(), cacheLine)
		workerSize = max(workerSize, p.workerSize())
	}
	return size + threads*(workerSize+cacheLine)
}

func (g *grouped) workspace(n, threads int) int {
	g.start(n, &g.conv)
	size := g.size(threads)
	g.startData(n)
	g.gradient.n = n
	return max(size, g.size(threads), g.gradient.sumSize()+threads*(g.gradient.workerSize()+cacheLine)+cacheLine)
}

// run packs the weights and computes all windows, for the call in flight.
func (g *grouped) run(p *Pool, ws []float32) {
	space := newScratch(ws)
	packTasks, tasks := 0, 0
	g.workerSize = 0
	for _, part := range g.parts {
		part.packed = space.take(part.packedSize())
		plan := part.plan()
		packTasks += plan.vectors
		tasks += plan.tasks
		g.workerSize = max(g.workerSize, part.workerSize()+cacheLine)
	}
	g.scratch = space.rest
	p.Run(packTasks, &g.pack)
	p.Run(tasks, &g.multiply)
}

func (j *groupedPack) Do(task, _ int) {
	for _, part := range j.parts {
		if n := part.plan().vectors; task >= n {
			task -= n
			continue
		}
		part.packVector(task)
		return
	}
}

func (j *groupedMultiply) Do(task, worker int) {
	for _, part := range j.parts {
		if n := part.plan().tasks; task >= n {
			task -= n
			continue
		}
		part.task(task, j.scratch[worker*j.workerSize:][:j.workerSize])
		return
	}
}

func (g *grouped) forward(p *Pool, n int, y, x, w []float32, e Epilogue, ws []float32) {
	g.parts = append(g.parts[:0], &g.conv)
	f := &g.conv
	f.n, f.src, f.weights, f.dst, f.add, f.bias, f.relu = n, x, w, y, e.Add, e.Bias, e.Act == ActReLU
	g.run(p, ws)
}

func (g *grouped) backwardData(p *Pool, n int, dx, dy, w, add, ws []float32) {
	g.startData(n)
	for _, part := range g.parts {
		part.src, part.weights, part.dst, part.add = dy, w, dx, add
	}
	g.run(p, ws)
}
