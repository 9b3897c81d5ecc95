package pointwise

import (
	"testing"

	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
)

func TestPointwiseLoops(t *testing.T) { kerneltest.CheckVectors(t, pointwiseKernels()) }

func FuzzPointwiseLoops(f *testing.F) { kerneltest.FuzzVectors(f, pointwiseKernels()) }

func pointwiseKernels() []kerneltest.Vector {
	const tensor = kerneltest.Tensor
	type (
		operands = [][]float32
		extents  = []kerneltest.Extent
	)
	return []kerneltest.Vector{
		kerneltest.NewVector("drop", extents{tensor}, extents{tensor},
			func(x operands, rows int) { drop(x[0], x[1], uint64(rows), 1<<31+12345, 1.5) },
			func(x operands, rows int) { dropGeneric(x[0], x[1], uint64(rows), 1<<31+12345, 1.5) }),
	}
}
