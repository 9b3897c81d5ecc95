package conv

import (
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/vec"
)

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
	if !g.lined() || g.outW < minSummedPositions || outC%gemm.Narrowest != 0 {
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
func (p *linedWeights) slot() int { return mem.RoundUp(p.depth()*p.outC, mem.Line) }

func (p *linedWeights) workspace(n, threads int) int {
	of := *p
	of.n = n
	return (of.splits()+1)*of.slot() + threads*of.blockSize() + 2*mem.Line
}

func (p *linedWeights) backwardWeights(pool *parallel.Pool, n int, dw, dy, x []float32, keep bool, ws []float32) {
	p.n, p.dy, p.src = n, dy, x
	space := mem.NewScratch(ws)
	p.sums = space.Take((p.splits() + 1) * p.slot())
	p.scratch = space.Rest
	pool.Run(p.splits(), p)

	slot, size := p.slot(), p.depth()*p.outC
	turned := p.sums[p.splits()*slot:]
	vec.AddRows(p.sums, p.sums[slot:], slot, p.splits()-1, size)
	vec.TransposeRows(turned, p.depth(), p.sums, p.outC, p.depth(), p.outC)
	if keep {
		vec.AddScaled(dw[:size], dw, turned, 1)
	} else {
		copy(dw[:size], turned)
	}
}

// Do sums one split.
func (p *linedWeights) Do(split, worker int) {
	lines := p.scratch[worker*p.blockSize():][:p.blockSize()]
	size, row := p.lineSize(p.outW), p.outW*p.outC
	begin, end := p.n*p.outH*split/p.splits(), p.n*p.outH*(split+1)/p.splits()
	m := gemm.Product{Rows: p.kw * p.channels, Cols: p.outC, Depth: p.outW}
	for line, next := begin, 0; line < end; line = next {
		n, y := line/p.outH, line%p.outH
		next = min(line+p.blockLines(), (n+1)*p.outH, end)
		m.Stretches = next - line
		for i := range (m.Stretches-1)*p.sh + p.kh {
			p.fillLine(lines[i*size:], n, y, i, 0, p.outW)
		}
		m.Right = gemm.MatrixOf(p.dy[line*row:], p.outC)
		for ky := range p.kh {
			m.Left = gemm.ColumnsOf(lines[ky*size:], p.sw*p.channels).InStretches(p.sh * size)
			m.C = gemm.View{Data: p.sums[split*p.slot()+ky*m.Rows*p.outC:], Row: p.outC}
			if m.Ahead = (gemm.Prefetch{}); ky == 0 {
				m.Ahead = gemm.Spread(p.dy[next*row : min(2*next-line, end)*row])
			}
			m.Run()
		}
		m.Accumulate = true
	}
}
