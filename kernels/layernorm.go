package kernels

// LayerNorm normalises the channels of every row (Ba, Kiros and Hinton, "Layer Normalization", 2016).
type LayerNorm struct {
	c   int
	eps float32

	rows, perTask int
	y, x          []float32
	gamma, beta   []float32
	mean, rstd    []float32
	dx, dy, add   []float32
	slots         []float64 // partial sums of dgamma and dbeta, by task
	workers       []float32 // the same of a block of rows, by worker
}

// NewLayerNorm returns the kernel for rows of c channels.
func NewLayerNorm(c int, eps float32) *LayerNorm { return &LayerNorm{c: c, eps: eps} }

// Workspace returns the scratch, in floats, that Backward needs.
func (l *LayerNorm) Workspace(rows, threads int) int {
	return float64Space(2*partials(rows)*l.c) + threads*2*l.c
}

// Forward computes, for every row r,
//
//	mean[r] = Σ_c x[r,c] / C
//	rstd[r] = 1 / sqrt(Σ_c (x[r,c]-mean[r])² / C + eps)
//	y[r,c]  = (x[r,c]-mean[r]) * rstd[r] * gamma[c] + beta[c]
//
// y may be x.
func (l *LayerNorm) Forward(p *Pool, rows int, y, x, gamma, beta, mean, rstd []float32) {
	checkLen("LayerNorm.Forward", "y", y, rows*l.c)
	checkLen("LayerNorm.Forward", "x", x, rows*l.c)
	checkLen("LayerNorm.Forward", "gamma", gamma, l.c)
	checkLen("LayerNorm.Forward", "beta", beta, l.c)
	checkLen("LayerNorm.Forward", "mean", mean, rows)
	checkLen("LayerNorm.Forward", "rstd", rstd, rows)
	l.rows, l.y, l.x, l.mean, l.rstd = rows, y, x, mean, rstd
	l.gamma, l.beta = gamma[:l.c], beta[:l.c]
	l.perTask = rowsPerTask(l.c)
	p.Run(ceilDiv(rows, l.perTask), (*layerNormForward)(l))
}

// Backward computes the gradient of Forward. With x̂[r,c] = (x[r,c]-mean[r])*rstd[r] and h[r,c] = dy[r,c]*gamma[c]:
//
//	dgamma[c] = Σ_r dy[r,c] * x̂[r,c]   (added to dgamma if accumulate)
//	dbeta[c]  = Σ_r dy[r,c]            (added to dbeta if accumulate)
//	dx[r,c]   = rstd[r] * (h[r,c] - Σ_c h/C - x̂[r,c] * Σ_c h·x̂/C) (+ add[r,c])
//
// A nil add is absent. dx may be dy or add.
func (l *LayerNorm) Backward(p *Pool, rows int, dx, dgamma, dbeta, dy, x, mean, rstd, gamma, add []float32, accumulate bool,
	ws []float32) {
	checkLen("LayerNorm.Backward", "dx", dx, rows*l.c)
	checkLen("LayerNorm.Backward", "dgamma", dgamma, l.c)
	checkLen("LayerNorm.Backward", "dbeta", dbeta, l.c)
	checkLen("LayerNorm.Backward", "dy", dy, rows*l.c)
	checkLen("LayerNorm.Backward", "x", x, rows*l.c)
	checkLen("LayerNorm.Backward", "mean", mean, rows)
	checkLen("LayerNorm.Backward", "rstd", rstd, rows)
	checkLen("LayerNorm.Backward", "gamma", gamma, l.c)
	if add != nil {
		checkLen("LayerNorm.Backward", "add", add, rows*l.c)
	}
	checkLen("LayerNorm.Backward", "ws", ws, l.Workspace(rows, p.Threads()))
	l.rows, l.dx, l.dy, l.x, l.mean, l.rstd, l.add = rows, dx, dy, x, mean, rstd, add
	l.gamma = gamma[:l.c]
	l.perTask = partialRows(rows)
	tasks := partials(rows)
	l.slots, l.workers = takeFloat64(ws, 2*tasks*l.c)
	p.Run(tasks, (*layerNormBackward)(l))
	for j := range l.c {
		sumGX, sumG := 0.0, 0.0
		for t := range tasks {
			sumGX += l.slots[2*t*l.c+j]
			sumG += l.slots[(2*t+1)*l.c+j]
		}
		if accumulate {
			sumGX += float64(dgamma[j])
			sumG += float64(dbeta[j])
		}
		dgamma[j], dbeta[j] = float32(sumGX), float32(sumG)
	}
}

type layerNormForward LayerNorm

func (l *layerNormForward) Do(task, _ int) {
	first, last := task*l.perTask, min((task+1)*l.perTask, l.rows)
	at, end := first*l.c, last*l.c
	layerNormRows(l.y[at:end], l.x[at:end], l.gamma, l.beta, l.mean[first:last], l.rstd[first:last], l.eps)
}

type layerNormBackward LayerNorm

func (l *layerNormBackward) Do(task, worker int) {
	slot := l.slots[2*task*l.c : 2*(task+1)*l.c]
	clear(slot)
	sums := l.workers[2*worker*l.c : 2*(worker+1)*l.c]
	last := min((task+1)*l.perTask, l.rows)
	for first := task * l.perTask; first < last; first += blockRows {
		end := min(first+blockRows, last)
		at, to := first*l.c, end*l.c
		var add []float32
		if l.add != nil {
			add = l.add[at:to]
		}
		clear(sums)
		layerNormGradRows(l.dx[at:to], sums[:l.c], sums[l.c:], l.dy[at:to], l.x[at:to],
			l.mean[first:end], l.rstd[first:end], l.gamma, add)
		addFloat64(slot, sums)
	}
}
