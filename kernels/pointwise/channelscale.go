package pointwise

import (
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/vec"
)

// ChannelScale multiplies every channel by a learned factor (layer scale; Touvron et al., "Going deeper with image
// transformers", ICCV 2021, eq. 4).
type ChannelScale struct {
	c int

	rows, perTask int
	y, x, gamma   []float32
	dx, dy        []float32
	slots         []float64 // partial sums of dgamma, by task
	workers       []float32 // sums of a block of rows, by worker
}

// NewChannelScale returns the kernel for c channels.
func NewChannelScale(c int) *ChannelScale { return &ChannelScale{c: c} }

// Workspace returns the scratch, in floats, that Backward needs.
func (k *ChannelScale) Workspace(rows, threads int) int {
	return mem.Float64Size(parallel.Partials(rows)*k.c) + threads*k.c
}

// Forward computes, for every row r and channel c,
//
//	y[r,c] = x[r,c] * gamma[c]
//
// y may be x.
func (k *ChannelScale) Forward(p *parallel.Pool, rows int, y, x, gamma []float32) {
	mem.CheckLen("pointwise.ChannelScale.Forward", "y", y, rows*k.c)
	mem.CheckLen("pointwise.ChannelScale.Forward", "x", x, rows*k.c)
	mem.CheckLen("pointwise.ChannelScale.Forward", "gamma", gamma, k.c)
	k.rows, k.y, k.x, k.gamma = rows, y, x, gamma
	k.perTask = parallel.RowsPerTask(k.c)
	p.Run(mem.CeilDiv(rows, k.perTask), (*channelScaleForward)(k))
}

// Backward computes
//
//	dx[r,c]   = dy[r,c] * gamma[c]
//	dgamma[c] = Σ_r dy[r,c] * x[r,c]   (added to dgamma if accumulate)
//
// dx may be dy.
func (k *ChannelScale) Backward(
	p *parallel.Pool, rows int, dx, dgamma, dy, x, gamma []float32, accumulate bool, ws []float32,
) {
	mem.CheckLen("pointwise.ChannelScale.Backward", "dx", dx, rows*k.c)
	mem.CheckLen("pointwise.ChannelScale.Backward", "dgamma", dgamma, k.c)
	mem.CheckLen("pointwise.ChannelScale.Backward", "dy", dy, rows*k.c)
	mem.CheckLen("pointwise.ChannelScale.Backward", "x", x, rows*k.c)
	mem.CheckLen("pointwise.ChannelScale.Backward", "gamma", gamma, k.c)
	mem.CheckLen("pointwise.ChannelScale.Backward", "ws", ws, k.Workspace(rows, p.Threads()))
	k.rows, k.dx, k.dy, k.x, k.gamma = rows, dx, dy, x, gamma
	k.perTask = parallel.PartialRows(rows)
	tasks := parallel.Partials(rows)
	k.slots, k.workers = mem.TakeFloat64(ws, tasks*k.c)
	p.Run(tasks, (*channelScaleBackward)(k))
	for j := range dgamma[:k.c] {
		sum := 0.0
		for t := range tasks {
			sum += k.slots[t*k.c+j]
		}
		if accumulate {
			sum += float64(dgamma[j])
		}
		dgamma[j] = float32(sum)
	}
}

type channelScaleForward ChannelScale

func (k *channelScaleForward) Do(task, _ int) {
	first := task * k.perTask
	rows := min(k.perTask, k.rows-first)
	at, end := first*k.c, (first+rows)*k.c
	vec.ScaleRows(k.y[at:end], k.x[at:end], k.gamma[:k.c], rows, false)
}

type channelScaleBackward ChannelScale

func (k *channelScaleBackward) Do(task, worker int) {
	slot := k.slots[task*k.c : (task+1)*k.c]
	clear(slot)
	sum := k.workers[worker*k.c : (worker+1)*k.c]
	last := min((task+1)*k.perTask, k.rows)
	for first := task * k.perTask; first < last; first += parallel.BlockRows {
		rows := min(parallel.BlockRows, last-first)
		at, end := first*k.c, (first+rows)*k.c
		clear(sum)
		vec.GateRows(k.dx[at:end], sum, k.dy[at:end], k.x[at:end], k.gamma[:k.c], rows)
		vec.AddFloat64(slot, sum)
	}
}
