// Package move answers where values go that no layer changes: blocks of columns ([CopyColumns]), the order of a
// flattened sample ([Flatten]), tokens before and within sequences ([Tokens]), the pixels of windows ([Windows]), and
// repeated positions ([Upsample]).
//
// A gradient is the same move in the other direction, and a sum where a value went to several places.
package move

import (
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/vec"
)

// Columns is a block of columns of a row-major matrix.
type Columns struct {
	Data   []float32
	Stride int // columns of the whole matrix
	Offset int // first column of the block
}

// CopyColumns copies a block of columns from one matrix to another: concatenation, slices, and their gradients.
type CopyColumns struct {
	rows, cols, perTask int
	dst, src            Columns
	accumulate          bool
}

// NewCopyColumns returns the kernel.
func NewCopyColumns() *CopyColumns { return &CopyColumns{} }

// Run computes, for every row r and j below cols,
//
//	dst.Data[r*dst.Stride+dst.Offset+j] = src.Data[r*src.Stride+src.Offset+j]   (added to dst if accumulate)
func (k *CopyColumns) Run(p *parallel.Pool, rows, cols int, dst, src Columns, accumulate bool) {
	if rows == 0 || cols == 0 {
		return
	}
	mem.CheckLen("move.CopyColumns.Run", "dst", dst.Data, (rows-1)*dst.Stride+dst.Offset+cols)
	mem.CheckLen("move.CopyColumns.Run", "src", src.Data, (rows-1)*src.Stride+src.Offset+cols)
	k.rows, k.cols, k.dst, k.src, k.accumulate = rows, cols, dst, src, accumulate
	k.perTask = parallel.RowsPerTask(cols)
	p.Run(mem.CeilDiv(rows, k.perTask), (*copyColumns)(k))
}

type copyColumns CopyColumns

func (k *copyColumns) Do(task, _ int) {
	for r := task * k.perTask; r < min((task+1)*k.perTask, k.rows); r++ {
		dst := k.dst.Data[r*k.dst.Stride+k.dst.Offset:][:k.cols]
		src := k.src.Data[r*k.src.Stride+k.src.Offset:][:k.cols]
		if k.accumulate {
			vec.AddScaled(dst, dst, src, 1)
		} else {
			copy(dst, src)
		}
	}
}
