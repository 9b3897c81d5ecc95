package norm

import (
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/vec"
)

// OutputSums are what a convolution sums of its results for the batch norm after it, block of rows by block of rows,
// while they are in registers: their deviations from a shift, and the squares of the deviations. The shift is the mean
// of the first block, which keeps them small whatever the channel's mean is. Without blocks there are no sums.
type OutputSums struct {
	Shift, Sums []float32 // [Row], [Blocks, 2, Row]
	Row, Blocks int       // Row is at least the number of channels
}

// Size returns the scratch, in floats, that the sums take.
func (s *OutputSums) Size() int {
	of, space := *s, mem.CountingScratch()
	of.TakeSpace(&space)
	return space.Size()
}

// TakeSpace takes the shift and the sums from a workspace.
func (s *OutputSums) TakeSpace(space *mem.Scratch) {
	s.Shift, s.Sums = space.Take(s.Row), space.Take(2*s.Blocks*s.Row)
}

// First sets the shift and the sums of the first block, which is y, [rows, channels].
func (s *OutputSums) First(y []float32, channels int) {
	rows := len(y) / channels
	clear(s.Shift)
	vec.SumChannels(s.Shift[:channels], y, rows)
	vec.Scale(s.Shift, s.Shift, 1/float32(rows))
	clear(s.Sums[:2*s.Row])
	batchNormSums(s.Sums[:channels], s.Sums[s.Row:][:channels], y, s.Shift[:channels], rows)
}

// Block returns the sums of a block.
func (s *OutputSums) Block(index int) []float32 { return s.Sums[2*index*s.Row:][:2*s.Row] }

// addBlocks adds the two sums of the channels [first,last) over blocks: sums is [blocks, 2, row]. The results are
// pieces of totals, [2, channels].
func addBlocks(totals []float64, sums []float32, blocks, row, first, last int) (one, other []float64) {
	one, other = totals[first:last], totals[len(totals)/2+first:len(totals)/2+last]
	clear(one)
	clear(other)
	vec.AddRowsFloat64(one, sums[first:], 2*row, blocks)
	vec.AddRowsFloat64(other, sums[row+first:], 2*row, blocks)
	return one, other
}
