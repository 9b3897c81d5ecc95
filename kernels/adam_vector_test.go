package kernels

import (
	"testing"
)

func TestAdamLoop(t *testing.T) { checkVectorKernels(t, adamKernels()) }

func FuzzAdamLoop(f *testing.F) { fuzzVectorKernels(f, adamKernels()) }

func adamKernels() []vectorKernel {
	rule := &adamRule{gain1: 0.1, beta2: 0.99, gain2: 0.01, rate: 0.003, root: 1.7, eps: 1e-3, decay: 0.01}
	type operands = [][]float32
	return []vectorKernel{
		newVectorKernel("adamUpdate", []extent{tensor, tensor, tensor}, []extent{tensor},
			func(x operands, _ int) { adamUpdate(x[0], x[3], x[1], x[2], rule) },
			func(x operands, _ int) { adamUpdateGeneric(x[0], x[3], x[1], x[2], rule) }),
	}
}
