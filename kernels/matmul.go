package kernels

// MatMulShape is a product of small matrices, row-major: C [M,N] = Scale · opA(A) · opB(B). A is [M,K], or [K,M] when
// TransA; B is [K,N], or [N,K] when TransB.
type MatMulShape struct {
	M, N, K        int
	TransA, TransB bool
	Scale          float32
}

// MatMul multiplies batches of small matrices.
type MatMul struct {
	s MatMulShape
}

// NewMatMul returns the product of the given shape.
func NewMatMul(s MatMulShape) *MatMul { return &MatMul{s: s} }

// Workspace returns how many floats of scratch Run needs on a pool of the given threads.
func (m *MatMul) Workspace(threads int) int { return 0 }

// Run computes C[b] = Scale · opA(A[b]) · opB(B[b]), or adds that to C[b], for every b below batches.
func (m *MatMul) Run(p *Pool, batches int, c, a, b []float32, accumulate bool, ws []float32) {
	s := m.s
	for n := range batches {
		c, a, b := c[n*s.M*s.N:], a[n*s.M*s.K:], b[n*s.K*s.N:]
		for i := range s.M {
			for j := range s.N {
				var sum float32
				for k := range s.K {
					ai, bi := i*s.K+k, k*s.N+j
					if s.TransA {
						ai = k*s.M + i
					}
					if s.TransB {
						bi = j*s.K + k
					}
					sum += a[ai] * b[bi]
				}
				if accumulate {
					c[i*s.N+j] += s.Scale * sum
				} else {
					c[i*s.N+j] = s.Scale * sum
				}
			}
		}
	}
}

// Gemm computes C [M,N] = A [M,K] · B [N,K]ᵀ, row-major, as it is needed for a matrix of distances or a linear layer.
type Gemm struct {
	n, k int
}

// NewGemm returns the product for B of the given shape.
func NewGemm(n, k int) *Gemm { return &Gemm{n: n, k: k} }

// Workspace returns how many floats of scratch Run needs for m rows on a pool of the given threads.
func (g *Gemm) Workspace(m, threads int) int { return 0 }

// Run computes C = A·Bᵀ for m rows of A.
func (g *Gemm) Run(p *Pool, m int, c, a, b, ws []float32) {
	for i := range m {
		for j := range g.n {
			var sum float32
			for k := range g.k {
				sum += a[i*g.k+k] * b[j*g.k+k]
			}
			c[i*g.n+j] = sum
		}
	}
}
