package pointwise

import (
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/vec"
)

// ChannelGate multiplies every channel of a sample, [H*W, C], by its gate, [C], as squeeze-and-excitation and OSNet's
// unified aggregation gate do.
type ChannelGate struct {
	hw, c        int
	rowsPerChunk int // of a task of Forward
	chunks       int // tasks of a sample in Forward

	n          int
	y, x, g    []float32
	dx, dg, dy []float32
}

// NewChannelGate returns the kernel for samples of hw positions and c channels.
func NewChannelGate(hw, c int) *ChannelGate {
	rows := parallel.RowsPerTask(c)
	return &ChannelGate{hw: hw, c: c, rowsPerChunk: rows, chunks: mem.CeilDiv(hw, rows)}
}

// Forward computes, for every sample n, position i and channel c,
//
//	y[n,i,c] = x[n,i,c] * g[n,c]
//
// y may be x.
func (k *ChannelGate) Forward(p *parallel.Pool, n int, y, x, g []float32) {
	mem.CheckLen("pointwise.ChannelGate.Forward", "y", y, n*k.hw*k.c)
	mem.CheckLen("pointwise.ChannelGate.Forward", "x", x, n*k.hw*k.c)
	mem.CheckLen("pointwise.ChannelGate.Forward", "g", g, n*k.c)
	k.n, k.y, k.x, k.g = n, y, x, g
	p.Run(n*k.chunks, (*gateForward)(k))
}

// Backward computes
//
//	dx[n,i,c] = dy[n,i,c] * g[n,c]
//	dg[n,c]   = Σ_i dy[n,i,c] * x[n,i,c]
//
// dx may be dy.
func (k *ChannelGate) Backward(p *parallel.Pool, n int, dx, dg, dy, x, g []float32) {
	mem.CheckLen("pointwise.ChannelGate.Backward", "dx", dx, n*k.hw*k.c)
	mem.CheckLen("pointwise.ChannelGate.Backward", "dg", dg, n*k.c)
	mem.CheckLen("pointwise.ChannelGate.Backward", "dy", dy, n*k.hw*k.c)
	mem.CheckLen("pointwise.ChannelGate.Backward", "x", x, n*k.hw*k.c)
	mem.CheckLen("pointwise.ChannelGate.Backward", "g", g, n*k.c)
	k.n, k.dx, k.dg, k.dy, k.x, k.g = n, dx, dg, dy, x, g
	p.Run(n, (*gateBackward)(k))
}

// BackwardGate is Backward for dg alone, where norm.BatchNorm.BackwardGated computes the gradient of x through the
// gate.
func (k *ChannelGate) BackwardGate(p *parallel.Pool, n int, dg, dy, x []float32) {
	mem.CheckLen("pointwise.ChannelGate.BackwardGate", "dg", dg, n*k.c)
	mem.CheckLen("pointwise.ChannelGate.BackwardGate", "dy", dy, n*k.hw*k.c)
	mem.CheckLen("pointwise.ChannelGate.BackwardGate", "x", x, n*k.hw*k.c)
	k.dg, k.dy, k.x = dg, dy, x
	p.Run(n, (*gateSum)(k))
}

// chunk returns the rows of a task of Forward, and where in the tensors they are.
func (k *ChannelGate) chunk(task int) (sample, rows, at, end int) {
	sample = task / k.chunks
	first := task % k.chunks * k.rowsPerChunk
	rows = min(k.rowsPerChunk, k.hw-first)
	at = (sample*k.hw + first) * k.c
	return sample, rows, at, at + rows*k.c
}

type gateForward ChannelGate

func (k *gateForward) Do(task, _ int) {
	sample, rows, at, end := (*ChannelGate)(k).chunk(task)
	stream := mem.Streams(k.y, k.n*k.hw, k.c) && &k.y[0] != &k.x[0]
	vec.ScaleRows(k.y[at:end], k.x[at:end], k.g[sample*k.c:(sample+1)*k.c], rows, stream)
	if stream {
		mem.Fence()
	}
}

type gateBackward ChannelGate

func (k *gateBackward) Do(sample, _ int) {
	g, dg := k.g[sample*k.c:(sample+1)*k.c], k.dg[sample*k.c:(sample+1)*k.c]
	clear(dg)
	for first := 0; first < k.hw; first += parallel.BlockRows {
		rows := min(parallel.BlockRows, k.hw-first)
		at := (sample*k.hw + first) * k.c
		end := at + rows*k.c
		vec.GateRows(k.dx[at:end], dg, k.dy[at:end], k.x[at:end], g, rows)
	}
}

type gateSum ChannelGate

func (k *gateSum) Do(sample, _ int) {
	dg := k.dg[sample*k.c : (sample+1)*k.c]
	clear(dg)
	for first := 0; first < k.hw; first += parallel.BlockRows {
		rows := min(parallel.BlockRows, k.hw-first)
		at := (sample*k.hw + first) * k.c
		end := at + rows*k.c
		vec.GateSums(dg, k.dy[at:end], k.x[at:end], rows)
	}
}
