package kernels

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

func (s *MatMulShape) takeScratch(space *scratch) matMulScratch {
	return matMulScratch{space.take(panelSize(s.N, s.K)), space.take(edgeSize(s.K)), space.take(s.M * s.N)}
}

func (m *MatMul) workerSize() int {
	space := countedScratch()
	m.s.takeScratch(&space)
	return space.size()
}

// Run computes C[b] = Scale · opA(A[b]) · opB(B[b]), or adds that to C[b], for every b below batches.
func (m *MatMul) Run(p *Pool, batches int, c, a, b []float32, accumulate bool, ws []float32) {
	s := m.s
	checkLen("MatMul", "C", c, batches*s.M*s.N)
	checkLen("MatMul", "A", a, batches*s.M*s.K)
	checkLen("MatMul", "B", b, batches*s.K*s.N)
	raceRead(a)
	raceRead(b)
	raceWrite(c[:batches*s.M*s.N])
	m.c, m.a, m.b, m.accumulate, m.ws, m.perWorker = c, a, b, accumulate, ws, m.workerSize()
	p.Run(batches, (*matMulPairs)(m))
}

// matMulPairs multiplies one pair of matrices a task.
type matMulPairs MatMul

func (m *matMulPairs) Do(batch, worker int) {
	s := m.s
	space := newScratch(m.ws[worker*m.perWorker:][:m.perWorker])
	own := s.takeScratch(&space)
	b, c := m.b[batch*s.K*s.N:], m.c[batch*s.M*s.N:][:s.M*s.N]
	if s.TransB {
		packTransposed(own.packed, b, s.K, s.K, s.N)
	} else {
		packPlain(own.packed, b, s.N, s.K, s.N)
	}
	p := smallProduct(s.M, s.N, s.K, own.packed)
	if a := m.a[batch*s.M*s.K:]; s.TransA {
		p.left = columnsOf(a, s.M)
	} else {
		p.left = rowsOf(a, s.K)
	}
	p.left.edge = own.edge
	p.c = view{c, s.N}
	if s.Scale == 1 {
		p.accumulate = m.accumulate
		p.run()
		return
	}
	if m.accumulate {
		p.c.data = own.scaled
		p.run()
		addScaled(c, c, p.c.data, s.Scale)
		return
	}
	p.run()
	scale(c, c, s.Scale)
}
