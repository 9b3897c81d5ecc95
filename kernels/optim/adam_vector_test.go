package optim

import (
	"testing"

	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
)

func TestAdamLoop(t *testing.T) { kerneltest.CheckVectors(t, adamKernels()) }

func FuzzAdamLoop(f *testing.F) { kerneltest.FuzzVectors(f, adamKernels()) }

func adamKernels() []kerneltest.Vector {
	rule := &adamRule{gain1: 0.1, beta2: 0.99, gain2: 0.01, rate: 0.003, root: 1.7, eps: 1e-3, decay: 0.01}
	const tensor, squares = kerneltest.Tensor, kerneltest.Squares
	type (
		operands = [][]float32
		extents  = []kerneltest.Extent
	)
	return []kerneltest.Vector{
		kerneltest.NewVector("adamUpdate", extents{tensor, tensor, squares}, extents{tensor},
			func(x operands, _ int) { adamUpdate(x[0], x[3], x[1], x[2], rule) },
			func(x operands, _ int) { adamUpdateGeneric(x[0], x[3], x[1], x[2], rule) }),
	}
}
