package conv

import (
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// Linear computes C [M,N] = A [M,K] · B [N,K]ᵀ, all row-major: a linear layer without bias, or the inner products of
// all pairs of rows.
type Linear struct {
	conv *Conv
}

// NewLinear returns the product for B [n,k]. It panics unless both sizes are positive.
func NewLinear(n, k int, precision gemm.Precision) *Linear {
	s := Shape{H: 1, W: 1, C: k, OutC: n, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1, Precision: precision}
	conv, err := New(s)
	if err != nil {
		panic(err)
	}
	return &Linear{conv: conv}
}

// Workspace returns how many floats of scratch Run needs for up to m rows on a pool of the given threads.
func (g *Linear) Workspace(m, threads int) int { return g.conv.Workspace(m, threads) }

// Run computes c [m,n] = a [m,k] · b [n,k]ᵀ. ws has at least Workspace floats.
func (g *Linear) Run(p *parallel.Pool, m int, c, a, b, ws []float32) {
	g.conv.Forward(p, m, c, a, b, Epilogue{}, ws)
}
