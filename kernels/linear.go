package kernels

// Gemm computes C [M,N] = A [M,K] · B [N,K]ᵀ, row-major, as it is needed for a matrix of distances or a linear layer.
type Gemm struct {
	conv *Conv
}

// NewGemm returns the product for B of the given shape. It panics unless both sizes are positive.
func NewGemm(n, k int, precision Precision) *Gemm {
	s := ConvShape{H: 1, W: 1, C: k, OutC: n, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1, Precision: precision}
	conv, err := NewConv(s)
	if err != nil {
		panic(err)
	}
	return &Gemm{conv: conv}
}

// Workspace returns how many floats of scratch Run needs for up to m rows on a pool of the given threads.
func (g *Gemm) Workspace(m, threads int) int { return g.conv.Workspace(m, threads) }

// Run computes C = A·Bᵀ for m rows of A.
func (g *Gemm) Run(p *Pool, m int, c, a, b, ws []float32) {
	g.conv.Forward(p, m, c, a, b, Epilogue{}, ws)
}
