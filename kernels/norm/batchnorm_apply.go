package norm

import (
	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/vec"
)

// application holds the arguments of Apply and ApplyMeans.
type application struct {
	rowOperands
	y         []float32 // [rows, c]
	means     []float32 // [samples, c] of y; nil for Apply
	perTask   int       // rows
	cacheRows int
	stream    bool // store y past the caches
}

// Apply computes, for every row r and channel c,
//
//	y[r,c] = act((x[r,c]-mean[c]) * (gamma[c]*invstd[c]) + beta[c] (+ add[r,c]))
//
// y may be at.X or at.Add.
func (b *BatchNorm) Apply(p *parallel.Pool, rows int, y []float32, at Operands) {
	mem.CheckLen("norm.BatchNorm.Apply", "y", y, rows*b.c)
	a := &b.application
	*a = application{rowOperands: b.operands("norm.BatchNorm.Apply", rows, at), y: y, cacheRows: b.cacheRows}
	a.perTask = a.taskRows()
	a.stream = a.fused() && mem.Streams(y, rows, b.c) && a.streamsParts()
	p.Run(mem.CeilDiv(rows, a.perTask), (*applyNorm)(a))
}

type applyNorm application

func (k *applyNorm) Do(task, _ int) {
	a := (*application)(k)
	first := task * a.perTask
	rows := min(a.perTask, a.rows-first)
	switch {
	case a.parts != nil:
		a.applyParts(first, rows)
	case a.fused():
		a.applyRows(first, rows)
	default:
		for last := first + rows; first < last; first += a.cacheRows {
			a.applyRows(first, min(a.cacheRows, last-first))
		}
	}
	if a.stream {
		mem.Fence()
	}
}

// applyRows computes some rows of y, from the given one on.
func (a *application) applyRows(first, rows int) {
	at, end := first*a.c, (first+rows)*a.c
	y, x := a.y[at:end], a.x[at:end]
	if a.fused() && !a.Clamps {
		batchNormCurveRows(a.Act, y, x, a.Mean, a.Scale, a.Beta, rows, a.stream)
		return
	}
	batchNormRows(y, x, a.addOf(at, end), a.Mean, a.Scale, a.Beta, rows, a.c, a.Lo, a.Hi, a.stream)
	if !a.Clamps {
		act.Apply(a.Act, y, y)
	}
}

// TakesMeans reports whether ApplyMeans serves the activation.
func (b *BatchNorm) TakesMeans() bool { return b.form.Clamps || hasNormCurve(b.form.Act) }

// ApplyMeans is Apply, without a residual, for samples of perSample rows each. It takes the mean over every sample on
// the way:
//
//	means[n,c] = Σ_i y[n,i,c] / perSample
func (b *BatchNorm) ApplyMeans(p *parallel.Pool, samples, perSample int, y, means []float32, at Operands) {
	const kernel = "norm.BatchNorm.ApplyMeans"
	rows := samples * perSample
	mem.CheckLen(kernel, "y", y, rows*b.c)
	mem.CheckLen(kernel, "means", means, samples*b.c)
	at.Add, at.Parts = nil, nil
	a := &b.application
	*a = application{rowOperands: b.operands(kernel, rows, at), y: y, means: means, perTask: perSample}
	a.stream = mem.Streams(y, rows, b.c)
	p.Run(samples, (*applyWithMeans)(a))
}

type applyWithMeans application

func (a *applyWithMeans) Do(sample, _ int) {
	means := a.means[sample*a.c : (sample+1)*a.c]
	clear(means)
	for first, last := sample*a.perTask, (sample+1)*a.perTask; first < last; first += parallel.BlockRows {
		rows := min(parallel.BlockRows, last-first)
		at, end := first*a.c, (first+rows)*a.c
		batchNormSumRows(a.Act, a.y[at:end], means, a.x[at:end], a.Mean, a.Scale, a.Beta, rows, a.stream)
	}
	vec.Scale(means, means, 1/float32(a.perTask))
	if a.stream {
		mem.Fence()
	}
}
