package conv

import (
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// keptWeights are weights that were packed once, for forward passes of a number of samples: the form, and with it what
// is packed, depends on that. The zero value serves none.
type keptWeights struct {
	samples int
	packed  []float32
}

// keeping returns the forward pass of n samples if it packs weights, else nil: depthwise convolutions and the kernels
// for small groups sort a few weights, in no time.
func (c *Conv) keeping(n int) *productPass {
	pass, _ := c.forwardEngine(n).(*productPass)
	return pass
}

// PackedSize returns how many floats [Conv.Pack] writes for forward passes of n samples, 0 if they pack no weights.
func (c *Conv) PackedSize(n int) int {
	pass := c.keeping(n)
	if pass == nil {
		return 0
	}
	return pass.parts[0].of(n).packedSize()
}

// Pack packs the weights for forward passes of n samples. From then on these read packed, PackedSize floats from a
// cache line on, in place of the weights, and compute the same bits: packed must stay as it is until the next Pack,
// which a change of the weights asks for. It needs the workspace of a forward pass, and panics if there is nothing to
// pack.
func (c *Conv) Pack(p *parallel.Pool, n int, w, packed, ws []float32) {
	pass := c.keeping(n)
	mem.CheckLen("conv.Conv.Pack", "weights", w, c.s.Weights())
	mem.RaceRead(w)
	mem.RaceWrite(packed)
	pass.kept = keptWeights{n, packed}
	pass.pack(p, n, w, ws)
}

// keepWeights is the only stage of a call of pack.
type keepWeights productPass

// pack writes what is kept.
func (m *productPass) pack(p *parallel.Pool, n int, w, ws []float32) {
	operands, part := m.operands[0], m.parts[0]
	operands.n, operands.weights = n, w
	mem.CheckLen("conv.Conv.Pack", "packed", m.kept.packed, part.packedSize())
	part.start(m.kept.packed)
	m.scratch, m.perWorker = mem.Align(ws), part.workerSize()
	p.Run(part.packTasks(), (*keepWeights)(m))
}

// Do packs a part of what is kept.
func (m *keepWeights) Do(task, worker int) {
	pass := (*productPass)(m)
	pass.parts[0].packTask(task, pass.scratchOf(worker))
}

// ForwardWorkspace is [Conv.Workspace] for forward passes alone, and for [Conv.Pack].
func (c *Conv) ForwardWorkspace(n, threads int) int {
	size := 0
	for samples := 1; samples <= n; samples++ {
		size = max(size, c.forwardEngine(samples).workspace(samples, threads))
	}
	return size
}
