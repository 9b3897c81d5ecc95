package norm

import "github.com/reidbench/reidbench/kernels/act"

// Input is a batch norm as the input of a convolution is read through it, from [BatchNorm.Input]:
//
//	act((x[r,c]-Mean[c]) * Scale[c] + Beta[c])
type Input struct {
	Mean, Scale, Beta []float32 // [C]; Scale is gamma·invstd
	Lo, Hi            float32   // bounds of the activation if it is a clamp, else none
	Act               act.Kind
	Clamps            bool // the activation is a clamp
}

// Input returns what reads a tensor of the given number of rows through the batch norm. It panics if there is a
// residual, or if x is in parts.
func (b *BatchNorm) Input(rows int, at Operands) Input {
	if at.Add != nil || at.Parts != nil {
		panic("norm.BatchNorm.Input: there is a residual, or x is in parts")
	}
	o := b.operands("norm.BatchNorm.Input", rows, at)
	return o.Input
}

// Rows normalises rows in place, with the bits of [BatchNorm.Apply]: for c < channels,
//
//	x[r*row+c] = act((x[r*row+c]-Mean[first+c]) * Scale[first+c] + Beta[first+c])
func (in *Input) Rows(x []float32, row, rows, channels, first int) {
	last := first + channels
	for r := range rows {
		x := x[r*row:][:channels]
		batchNormRows(x, x, nil, in.Mean[first:last], in.Scale[first:last], in.Beta[first:last], 1, channels, in.Lo,
			in.Hi, false)
		if !in.Clamps {
			act.Apply(in.Act, x, x)
		}
	}
}
