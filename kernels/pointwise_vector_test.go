package kernels

import (
	"testing"
)

func TestPointwiseLoops(t *testing.T) { checkVectorKernels(t, pointwiseKernels()) }

func FuzzPointwiseLoops(f *testing.F) { fuzzVectorKernels(f, pointwiseKernels()) }

func pointwiseKernels() []vectorKernel {
	type operands = [][]float32
	return []vectorKernel{
		newVectorKernel("drop", []extent{tensor}, []extent{tensor},
			func(x operands, rows int) { drop(x[0], x[1], uint64(rows), 1<<31+12345, 1.5) },
			func(x operands, rows int) { dropGeneric(x[0], x[1], uint64(rows), 1<<31+12345, 1.5) }),
	}
}
