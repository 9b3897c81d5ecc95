package norm

import (
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/vec"
)

// LayerNorm normalises the channels of every row (Ba, Kiros and Hinton, "Layer Normalization", 2016).
type LayerNorm struct {
	c   int
	eps float32

	forward  layerNormForward // the calls in flight
	backward layerNormBackward
}

// NewLayerNorm returns the kernel for rows of c channels.
func NewLayerNorm(c int, eps float32) *LayerNorm { return &LayerNorm{c: c, eps: eps} }

// Workspace returns the scratch, in floats, that Backward needs.
func (l *LayerNorm) Workspace(rows, threads int) int {
	sums := newRowSums(rows, l.c, 0)
	return sums.workspace(threads)
}

// layerNormForward holds the arguments of Forward, and is its job.
type layerNormForward struct {
	y, x         []float32 // [rows, c]
	gamma, beta  []float32 // [c]
	mean, invstd []float32 // [rows]
	eps          float32
	perTask      int // rows
}

// Forward computes, for every row r,
//
//	mean[r]   = Σ_c x[r,c] / C
//	invstd[r] = 1 / sqrt(Σ_c (x[r,c]-mean[r])² / C + eps)
//	y[r,c]    = (x[r,c]-mean[r]) * invstd[r] * gamma[c] + beta[c]
//
// y may be x.
func (l *LayerNorm) Forward(p *parallel.Pool, rows int, y, x, gamma, beta, mean, invstd []float32) {
	mem.CheckLen("norm.LayerNorm.Forward", "y", y, rows*l.c)
	mem.CheckLen("norm.LayerNorm.Forward", "x", x, rows*l.c)
	mem.CheckLen("norm.LayerNorm.Forward", "gamma", gamma, l.c)
	mem.CheckLen("norm.LayerNorm.Forward", "beta", beta, l.c)
	mem.CheckLen("norm.LayerNorm.Forward", "mean", mean, rows)
	mem.CheckLen("norm.LayerNorm.Forward", "invstd", invstd, rows)
	k := &l.forward
	*k = layerNormForward{
		y: y, x: x, gamma: gamma[:l.c], beta: beta[:l.c], mean: mean[:rows], invstd: invstd, eps: l.eps,
		perTask: parallel.RowsPerTask(l.c),
	}
	p.Run(mem.CeilDiv(rows, k.perTask), k)
}

func (k *layerNormForward) Do(task, _ int) {
	c := len(k.gamma)
	first, last := task*k.perTask, min((task+1)*k.perTask, len(k.mean))
	at, end := first*c, last*c
	layerNormRows(k.y[at:end], k.x[at:end], k.gamma, k.beta, k.mean[first:last], k.invstd[first:last], k.eps)
}

// LayerNormGradient holds the arguments of [LayerNorm.Backward].
type LayerNormGradient struct {
	DY, X        []float32 // [rows, C], X is what Forward was given
	Mean, InvStd []float32 // [rows], from Forward
	Gamma        []float32 // [C]

	DX, Add       []float32 // [rows, C], the result and what is added to it; a nil Add is absent
	DGamma, DBeta []float32 // [C], results
	Accumulate    bool      // add to DGamma and DBeta what they hold
}

// layerNormBackward is the job of Backward: each task leaves the sums of dgamma and dbeta in its slot.
type layerNormBackward struct {
	LayerNormGradient
	sums rowSums
}

// Backward computes the gradient of Forward. With x̂[r,c] = (x[r,c]-mean[r])*invstd[r] and h[r,c] = dy[r,c]*gamma[c]:
//
//	dgamma[c] = Σ_r dy[r,c] * x̂[r,c]   (added to dgamma if of.Accumulate)
//	dbeta[c]  = Σ_r dy[r,c]            (added to dbeta if of.Accumulate)
//	dx[r,c]   = invstd[r] * (h[r,c] - Σ_c h/C - x̂[r,c] * Σ_c h·x̂/C) (+ add[r,c])
//
// of.DX may be of.DY or of.Add.
func (l *LayerNorm) Backward(p *parallel.Pool, rows int, of LayerNormGradient, ws []float32) {
	mem.CheckLen("norm.LayerNorm.Backward", "dx", of.DX, rows*l.c)
	mem.CheckLen("norm.LayerNorm.Backward", "dgamma", of.DGamma, l.c)
	mem.CheckLen("norm.LayerNorm.Backward", "dbeta", of.DBeta, l.c)
	mem.CheckLen("norm.LayerNorm.Backward", "dy", of.DY, rows*l.c)
	mem.CheckLen("norm.LayerNorm.Backward", "x", of.X, rows*l.c)
	mem.CheckLen("norm.LayerNorm.Backward", "mean", of.Mean, rows)
	mem.CheckLen("norm.LayerNorm.Backward", "invstd", of.InvStd, rows)
	mem.CheckLen("norm.LayerNorm.Backward", "gamma", of.Gamma, l.c)
	if of.Add != nil {
		mem.CheckLen("norm.LayerNorm.Backward", "add", of.Add, rows*l.c)
	}
	mem.CheckLen("norm.LayerNorm.Backward", "ws", ws, l.Workspace(rows, p.Threads()))
	k := &l.backward
	*k = layerNormBackward{LayerNormGradient: of, sums: newRowSums(rows, l.c, 0)}
	k.sums.use(ws)
	k.Gamma = of.Gamma[:l.c]
	p.Run(k.sums.tasks, k)
	for j := range l.c {
		sumGX, sumG := 0.0, 0.0
		for t := range k.sums.tasks {
			gx, g := k.sums.partial(t, j, j+1)
			sumGX += gx[0]
			sumG += g[0]
		}
		if of.Accumulate {
			sumGX += float64(of.DGamma[j])
			sumG += float64(of.DBeta[j])
		}
		of.DGamma[j], of.DBeta[j] = float32(sumGX), float32(sumG)
	}
}

func (k *layerNormBackward) Do(task, worker int) {
	c := k.sums.c
	first, last, gxs, gs := k.sums.task(task)
	space := k.sums.worker(worker)
	sumGX, sumG := space.one, space.other
	for ; first < last; first += parallel.BlockRows {
		end := min(first+parallel.BlockRows, last)
		at, to := first*c, end*c
		var add []float32
		if k.Add != nil {
			add = k.Add[at:to]
		}
		clear(sumGX)
		clear(sumG)
		layerNormGradRows(k.DX[at:to], sumGX, sumG, k.DY[at:to], k.X[at:to], k.Mean[first:end], k.InvStd[first:end],
			k.Gamma, add)
		vec.AddFloat64(gxs, sumGX)
		vec.AddFloat64(gs, sumG)
	}
}
