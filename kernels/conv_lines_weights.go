package kernels

// linedWeights is the weight gradient where windows are read from copies of lines, turned: dwᵀ [taps·channels, OutC] =
// windowsᵀ · dy. Each line of taps makes a few rows of it, and dy is read where it is. The lines of positions are cut
// into splits whose sums go to their own slots and are added in order.
type linedWeights struct {
	gather
	n, outC int
	dy      []float32
	sums    []float32 // one slot per split, and one to turn the result in
	scratch []float32 // of all workers
}

// newLinedWeights returns nil where windows are gathered.
func newLinedWeights(g gather, outC int) *linedWeights {
	if !g.lined() || g.outW < minSummedPositions || outC%narrowest != 0 {
		return nil
	}
	return &linedWeights{gather: g, outC: outC}
}

// blockSize returns the floats of the lines that a block reads.
func (p *linedWeights) blockSize() int { return ((p.blockLines()-1)*p.sh + p.kh) * p.lineSize(p.outW) }

// blockLines returns how many lines of positions are summed in one block.
func (p *linedWeights) blockLines() int { return max(1, pixelBlock/p.outW) }

func (p *linedWeights) splits() int {
	return max(1, min(maxSums, p.n*p.outH/(p.blockLines()*blocksPerSum)))
}

// slot is the distance of the splits' sums.
func (p *linedWeights) slot() int { return roundUp(p.depth()*p.outC, cacheLine) }

func (p *linedWeights) workspace(n, threads int) int {
	of := *p
	of.n = n
	return (of.splits()+1)*of.slot() + threads*of.blockSize() + 2*cacheLine
}

func (p *linedWeights) backwardWeights(pool *Pool, n int, dw, dy, x []float32, keep bool, ws []float32) {
	p.n, p.dy, p.src = n, dy, x
	space := newScratch(ws)
	p.sums = space.take((p.splits() + 1) * p.slot())
	p.scratch = space.rest
	pool.Run(p.splits(), p)

	slot, size := p.slot(), p.depth()*p.outC
	turned := p.sums[p.splits()*slot:]
	addRows(p.sums, p.sums[slot:], slot, p.splits()-1, size)
	transposeRows(turned, p.depth(), p.sums, p.outC, p.depth(), p.outC)
	if keep {
		addScaled(dw[:size], dw, turned, 1)
	} else {
		copy(dw[:size], turned)
	}
}

// Do sums one split.
func (p *linedWeights) Do(split, worker int) {
	lines := p.scratch[worker*p.blockSize():][:p.blockSize()]
	size, row := p.lineSize(p.outW), p.outW*p.outC
	begin, end := p.n*p.outH*split/p.splits(), p.n*p.outH*(split+1)/p.splits()
	m := product{rows: p.kw * p.channels, cols: p.outC, depth: p.outW}
	for line, next := begin, 0; line < end; line = next {
		n, y := line/p.outH, line%p.outH
		next = min(line+p.blockLines(), (n+1)*p.outH, end)
		m.stretches = next - line
		for i := range (m.stretches-1)*p.sh + p.kh {
			p.fillLine(lines[i*size:], n, y, i, 0, p.outW)
		}
		m.right = matrixOf(p.dy[line*row:], p.outC)
		for ky := range p.kh {
			m.left = columnsOf(lines[ky*size:], p.sw*p.channels).inStretches(p.sh * size)
			m.c = view{p.sums[split*p.slot()+ky*m.rows*p.outC:], p.outC}
			if m.ahead = (prefetch{}); ky == 0 {
				m.ahead = spread(p.dy[next*row : min(2*next-line, end)*row])
			}
			m.run()
		}
		m.accumulate = true
	}
}
