// Package measure answers how fast this machine is: the rate of multiply-adds that its threads reach, [Peak], and the
// bytes that they move to and from memory, [Bandwidth].
//
// Both are upper bounds that kernels are compared with.
package measure

import (
	"sync/atomic"
	"time"

	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// Peak returns the rate of fused multiply-adds, in FLOP/s (two per multiply-add), that the threads of p reach
// together with the active instruction set on data in registers. It takes about d.
func Peak(p *parallel.Pool, d time.Duration) float64 {
	chains := peakChains{rounds: 1 << 10}
	start := time.Now()
	p.Run(p.Threads(), &chains) // wakes the threads, and shows how long a round takes
	perRound := float64(time.Since(start)) / float64(chains.rounds)
	const runs = 8 // in the time d; the fastest counts
	chains.rounds = max(1<<10, int(float64(d)/runs/max(perRound, 1e-3)))
	best := 0.0
	for begin := time.Now(); time.Since(begin) < d; {
		chains.flops.Store(0)
		start := time.Now()
		p.Run(p.Threads(), &chains)
		best = max(best, float64(chains.flops.Load())/time.Since(start).Seconds())
	}
	return best
}

// peakChains runs one set of multiply-add chains per task.
type peakChains struct {
	rounds int
	flops  atomic.Int64
	sink   atomic.Uint32 // keeps the portable loop from being removed
}

// By instruction set; nil for the portable chains.
var fmaChainsKernels = [...]struct {
	lanes int // values in all chains
	run   func(rounds int)
}{isa.AVX2: {12 * 8, fmaChainsAVX2}, isa.AVX512: {24 * 16, fmaChainsAVX512}}

func (j *peakChains) Do(_, _ int) {
	kernel := fmaChainsKernels[isa.Active()]
	if kernel.run == nil {
		kernel.lanes = 8
		j.sink.Store(uint32(fmaChainsGeneric(j.rounds)))
	} else {
		kernel.run(j.rounds)
	}
	j.flops.Add(int64(2 * kernel.lanes * j.rounds))
}

// fmaChainsGeneric runs eight independent multiply-add chains.
func fmaChainsGeneric(rounds int) float32 {
	var a, b, c, d, e, f, g, h float32
	x, y := float32(0.5), float32(0.25)
	for range rounds {
		a += x * y
		b += x * y
		c += x * y
		d += x * y
		e += x * y
		f += x * y
		g += x * y
		h += x * y
		x, y = y, x
	}
	return a + b + c + d + e + f + g + h
}
