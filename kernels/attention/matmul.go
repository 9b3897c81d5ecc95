package attention

import (
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/vec"
)

// MatMulShape is a product of small matrices, row-major: C [M,N] = Scale · opA(A) · opB(B). A is [M,K], or [K,M] when
// TransA; B is [K,N], or [N,K] when TransB.
type MatMulShape struct {
	M, N, K        int
	TransA, TransB bool
	Scale          float32
}

// MatMul multiplies batches of small matrices, one pair a task.
type MatMul struct {
	s          MatMulShape
	c, a, b    []float32
	accumulate bool
	ws         []float32 // perWorker floats for each
	perWorker  int
}

// NewMatMul returns the product of the given shape.
func NewMatMul(s MatMulShape) *MatMul { return &MatMul{s: s} }

// Workspace returns how many floats of scratch Run needs on a pool of the given threads.
func (m *MatMul) Workspace(threads int) int { return threads * m.workerSize() }

// matMulScratch is what a pair needs besides its operands.
type matMulScratch struct{ packed, edge, scaled []float32 }

func (s *MatMulShape) takeScratch(space *mem.Scratch) matMulScratch {
	return matMulScratch{space.Take(gemm.PanelSize(s.N, s.K)), space.Take(gemm.EdgeSize(s.K)), space.Take(s.M * s.N)}
}

func (m *MatMul) workerSize() int {
	space := mem.CountingScratch()
	m.s.takeScratch(&space)
	return space.Size()
}

// Run computes C[b] = Scale · opA(A[b]) · opB(B[b]), or adds that to C[b], for every b below batches.
func (m *MatMul) Run(p *parallel.Pool, batches int, c, a, b []float32, accumulate bool, ws []float32) {
	s := m.s
	mem.CheckLen("attention.MatMul.Run", "C", c, batches*s.M*s.N)
	mem.CheckLen("attention.MatMul.Run", "A", a, batches*s.M*s.K)
	mem.CheckLen("attention.MatMul.Run", "B", b, batches*s.K*s.N)
	mem.RaceRead(a)
	mem.RaceRead(b)
	mem.RaceWrite(c[:batches*s.M*s.N])
	m.c, m.a, m.b, m.accumulate, m.ws, m.perWorker = c, a, b, accumulate, ws, m.workerSize()
	p.Run(batches, (*matMulPairs)(m))
}

// matMulPairs multiplies one pair of matrices a task.
type matMulPairs MatMul

func (m *matMulPairs) Do(batch, worker int) {
	s := m.s
	space := mem.NewScratch(m.ws[worker*m.perWorker:][:m.perWorker])
	own := s.takeScratch(&space)
	b, c := m.b[batch*s.K*s.N:], m.c[batch*s.M*s.N:][:s.M*s.N]
	if s.TransB {
		gemm.PackTransposed(own.packed, b, s.K, s.K, s.N)
	} else {
		gemm.Pack(own.packed, b, s.N, s.K, s.N)
	}
	p := gemm.SmallProduct(s.M, s.N, s.K, own.packed)
	if a := m.a[batch*s.M*s.K:]; s.TransA {
		p.Left = gemm.ColumnsOf(a, s.M)
	} else {
		p.Left = gemm.RowsOf(a, s.K)
	}
	p.Left = p.Left.WithEdge(own.edge)
	p.C = gemm.View{Data: c, Row: s.N}
	if s.Scale == 1 {
		p.Accumulate = m.accumulate
		p.Run()
		return
	}
	if m.accumulate {
		p.C.Data = own.scaled
		p.Run()
		vec.AddScaled(c, c, p.C.Data, s.Scale)
		return
	}
	p.Run()
	vec.Scale(c, c, s.Scale)
}
