package pointwise

import (
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/vec"
)

// Dropout zeroes random values and scales the others, so that the mean stays (Srivastava et al., JMLR 2014). The mask
// is not stored: it is a function of key, step and position, computed again in the backward pass.
type Dropout struct {
	key       uint64
	threshold uint32
	keep      float32

	size int
	step uint64
	y, x []float32
}

// NewDropout returns the kernel that drops a value with probability prob, 0 ≤ prob ≤ 1. Kernels with different keys
// drop different values.
func NewDropout(prob float64, key uint64) *Dropout {
	threshold, keep := dropRule(prob)
	return &Dropout{key: key, threshold: threshold, keep: keep}
}

// dropRule returns below which 32-bit word a value is dropped, and the factor of the others.
func dropRule(prob float64) (threshold uint32, keep float32) {
	if prob >= 1 {
		return 1<<32 - 1, 0
	}
	return uint32(prob * (1 << 32)), float32(1 / (1 - prob))
}

// Forward computes, for every i below size,
//
//	y[i] = 0 if word(key, step, i) < prob*2³², else x[i]/(1-prob)
//
// where two neighbours share the halves of one 64-bit word, low half first. y may be x.
func (d *Dropout) Forward(p *parallel.Pool, size int, y, x []float32, step uint64) {
	mem.CheckLen("pointwise.Dropout.Forward", "y", y, size)
	mem.CheckLen("pointwise.Dropout.Forward", "x", x, size)
	d.size, d.y, d.x, d.step = size, y, x, step
	p.Run(parallel.Tasks(size), (*dropoutForward)(d))
}

// Backward applies the mask that Forward applied at the same step. dx may be dy.
func (d *Dropout) Backward(p *parallel.Pool, size int, dx, dy []float32, step uint64) {
	d.Forward(p, size, dx, dy, step)
}

type dropoutForward Dropout

func (d *dropoutForward) Do(task, _ int) {
	lo, hi := parallel.Range(task, d.size) // lo is even
	if d.keep == 0 {
		clear(d.y[lo:hi])
		return
	}
	drop(d.y[lo:hi], d.x[lo:hi], streamSeed(d.key, d.step)+uint64(lo/2+1)*golden, d.threshold, d.keep)
}

// DropPath zeroes whole samples at random and scales the others (stochastic depth; Huang et al., ECCV 2016).
type DropPath struct {
	key       uint64
	threshold uint32
	keep      float32

	perSample int
	step      uint64
	y, x      []float32
}

// NewDropPath returns the kernel that drops a sample with probability prob.
func NewDropPath(prob float64, key uint64) *DropPath {
	threshold, keep := dropRule(prob)
	return &DropPath{key: key, threshold: threshold, keep: keep}
}

// Forward computes, for every sample n and i below perSample,
//
//	y[n,i] = 0 if word(key, step, n) < prob*2³², else x[n,i]/(1-prob)
//
// y may be x.
func (d *DropPath) Forward(p *parallel.Pool, n, perSample int, y, x []float32, step uint64) {
	mem.CheckLen("pointwise.DropPath.Forward", "y", y, n*perSample)
	mem.CheckLen("pointwise.DropPath.Forward", "x", x, n*perSample)
	d.perSample, d.y, d.x, d.step = perSample, y, x, step
	p.Run(n, (*dropPathForward)(d))
}

// Backward drops the samples that Forward dropped at the same step. dx may be dy.
func (d *DropPath) Backward(p *parallel.Pool, n, perSample int, dx, dy []float32, step uint64) {
	d.Forward(p, n, perSample, dx, dy, step)
}

type dropPathForward DropPath

func (d *dropPathForward) Do(sample, _ int) {
	at, end := sample*d.perSample, (sample+1)*d.perSample
	word := uint32(counterHash(d.key, d.step, uint64(sample)))
	if word < d.threshold || d.keep == 0 {
		clear(d.y[at:end])
		return
	}
	vec.Scale(d.y[at:end], d.x[at:end], d.keep)
}
