package conv

import (
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/vec"
)

// Where Strassen's form pays for a convolution. The sums of the left factor's quadrants cost as much as a number of
// columns, the partial results as much as some depth.
const (
	minStrassenColumns = 128
	minStrassenDepth   = 192
	strassenDepth      = 1024 // upper bound of the blocks of the depth, as depthBlock

	// Packing the factors costs as much as some rows: these are the blocks of rows from which the form pays.
	minStrassenBlocks  = 2
	minInferenceBlocks = 3
)

// useStrassen lets the forward pass and the data gradient multiply in Strassen's form where they have enough columns
// and depth. In weight gradients the sums of both factors' quadrants are needed for every block of pixels, and little
// is won.
func (c *Conv) useStrassen(minColumns, minDepth int) {
	pays := func(p *implicitProduct) bool {
		return p.depth()%2 == 0 && p.depth() >= minDepth && p.cols >= minColumns
	}
	c.forward.strassen, c.forward.minBlocks = pays(&c.forward), minStrassenBlocks
	if c.s.Inference {
		c.forward.minBlocks = minInferenceBlocks
	}
	for i := range c.data {
		c.data[i].strassen, c.data[i].minBlocks = pays(&c.data[i]), minStrassenBlocks
	}
}

// inStrassenForm reports whether the product is computed in Strassen's form.
func (p *implicitProduct) inStrassenForm() bool {
	return p.strassen && !p.pairs && (p.given || p.rowBlocks() >= p.minBlocks)
}

// columnPanels returns how columns are cut: into pairs of panels, one of either half, and single panels, the last of
// which need not be whole. All tasks but the last have pairs only.
func columnPanels(cols int) (pairs, singles int) {
	width := gemm.Tile().Cols
	pairs = cols / (2 * width)
	return pairs, mem.CeilDiv(cols-pairs*2*width, width)
}

// pairSize returns the length of a pair of packed panels: the factors of the right side in the order of their use,
// block by block of the depth.
func (p *implicitProduct) pairSize() int {
	return int(gemm.Factors) * p.steps() / 2 * gemm.Tile().Cols
}

// strassenSize is packedSize of a group: its pairs, then its single panels.
func (p *implicitProduct) strassenSize() int {
	pairs, singles := columnPanels(p.cols)
	return pairs*p.pairSize() + singles*p.steps()*gemm.Tile().Cols
}

// taskPanels are the panels of the columns of a task: pairs, then single ones.
type taskPanels struct {
	*implicitProduct
	col, pairs, singles int
	packed              []float32 // each pair takes pairSize
}

// panelsOfTask returns the panels of the task of a group that begins with column col.
func (p *implicitProduct) panelsOfTask(group, col int) taskPanels {
	before, _ := columnPanels(col)
	pairs, singles := columnPanels(min(p.columnBlock(), p.cols-col))
	return taskPanels{p, col, pairs, singles, p.packed[group*p.strassenSize()+before*p.pairSize():]}
}

// panelPair is two panels that are multiplied together: the first columns of both, and the packed factors.
type panelPair struct {
	left, right int
	packed      []float32
}

// pair returns one of the pairs. The left panels of all pairs are the left half of their columns.
func (t *taskPanels) pair(index int) panelPair {
	left := t.col + index*gemm.Tile().Cols
	return panelPair{left, left + t.pairs*gemm.Tile().Cols, t.packed[index*t.pairSize():]}
}

// single returns the first column of one of the single panels, and the packed panel.
func (t *taskPanels) single(index int) (col int, packed []float32) {
	width := gemm.Tile().Cols
	return t.col + (2*t.pairs+index)*width, t.packed[t.pairs*t.pairSize()+index*t.steps()*width:]
}

// factor returns a right factor of the block of the depth that begins with k and has the given depth, up to the end of
// all.
func (t *panelPair) factor(f gemm.Factor, k, depth int) []float32 {
	width := gemm.Tile().Cols
	return t.packed[(int(gemm.Factors)*k/2+int(f)*depth/2)*width:]
}

// packStrassen packs one pair of panels or one single panel.
func (p *implicitProduct) packStrassen(task int) {
	width, depth, block := gemm.Tile().Cols, p.steps(), p.blockDepth()
	pairs, singles := columnPanels(p.cols)
	group, index := task/(pairs+singles), task%(pairs+singles)
	col := min(index, pairs) * 2 * width / p.columnBlock() * p.columnBlock() // where the task begins
	panels := p.panelsOfTask(group, col)
	if single := index - pairs; single >= 0 {
		col, dst := panels.single(single)
		p.pack(dst[:depth*width], group, col, 0, depth)
		return
	}
	pair := panels.pair(index - col/(2*width))
	for k := 0; k < depth; k += block {
		end := min(k+block, depth)
		middle, size := (k+end)/2, (end-k)/2*width
		var factors [gemm.Factors][]float32
		for f := range gemm.Factors {
			factors[f] = pair.factor(f, k, end-k)[:size]
		}
		p.pack(factors[gemm.FactorA11B11], group, pair.left, k, middle)
		p.pack(factors[gemm.FactorS1T1], group, pair.right, k, middle) // B12, see SumRightQuadrants
		p.pack(factors[gemm.FactorA12B21], group, pair.left, middle, end)
		p.pack(factors[gemm.FactorS4B22], group, pair.right, middle, end)
		gemm.SumRightQuadrants(&factors)
	}
}

// gathersLater reports whether rows are copied only just before they are multiplied: they lie in memory as they are,
// but where tiles should not read them.
func (b *productBlock) gathersLater() bool {
	return b.inStrassenForm() && !b.given && b.source.plain() && b.m.Rows == rowBlock
}

// multiplyStrassen multiplies a block of the depth, from k on.
func (b *productBlock) multiplyStrassen(k int) {
	s, m, source := &b.strassenProduct, &b.m, &b.source
	width := gemm.Tile().Cols
	panels := b.panelsOfTask(b.group, b.col)
	s.Product, s.StrassenScratch = *m, b.strassenScratch
	s.Source, s.Evenly = gemm.View{}, b.given
	if !b.direct && b.gathersLater() {
		s.Source = gemm.View{Data: source.src[b.row*source.pixel+source.first+k:], Row: source.pixel}
	}
	s.Contiguous = source.pixel == m.Depth && (b.direct || s.Source.Data != nil)
	if !s.Evenly {
		s.Product.Ahead = gemm.PrefetchEvenly(b.before)
	}
	a := &m.Left
	first, last := b.piece.of(panels.pairs)
	s.Product.DropColumns(first * width)
	s.Product.Cols, s.Apart = 2*(last-first)*width, panels.pairs*width
	if panels.pairs > 0 {
		if m.Rows%2 != 0 {
			clear(a.Data[m.Rows*a.Row:][:m.Depth])
		}
		s.Product.Right = gemm.PanelsOf(nil, b.pairSize())
		pair := panels.pair(first)
		for f := range gemm.Factors {
			s.RightFactors[f] = pair.factor(f, k, m.Depth)
		}
		s.Run()
	} else if s.Source.Data != nil {
		vec.CopyRows(a.Data, a.Row, s.Source.Data, s.Source.Row, m.Rows, m.Depth)
	}
	if panels.singles > 0 && b.piece.last() {
		_, packed := panels.single(0)
		rest := *m
		rest.Right, rest.Ahead = gemm.PanelsOf(packed[k*width:], b.steps()*width), gemm.Prefetch{}
		rest.DropColumns(2 * s.Apart)
		rest.Run()
	}
}
