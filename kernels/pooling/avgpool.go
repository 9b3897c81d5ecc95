package pooling

import (
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/vec"
)

// Avg takes the mean over windows.
type Avg struct {
	Shape
	outH, outW int
	includePad bool

	y, x, dx, dy []float32
}

// NewAvg returns the kernel. With countIncludePad the divisor counts the padding that a window covers, else only the
// input. It panics if the shape is impossible.
func NewAvg(s Shape, countIncludePad bool) *Avg {
	s.check("pooling.NewAvg")
	return &Avg{Shape: s, outH: s.OutH(), outW: s.OutW(), includePad: countIncludePad}
}

// Forward computes, for every sample n, output position (oy,ox) and channel c,
//
//	y[n,oy,ox,c] = Σ_ky Σ_kx x[n, oy*SH-PH+ky, ox*SW-PW+kx, c] / divisor(oy,ox)
func (a *Avg) Forward(p *parallel.Pool, n int, y, x []float32) {
	mem.CheckLen("pooling.Avg.Forward", "y", y, n*a.outH*a.outW*a.C)
	mem.CheckLen("pooling.Avg.Forward", "x", x, n*a.H*a.W*a.C)
	a.y, a.x = y, x
	p.Run(n*a.outH, (*avgForward)(a))
}

// Backward spreads every dy over its window:
//
//	dx = 0; dx[n, oy*SH-PH+ky, ox*SW-PW+kx, c] += dy[n,oy,ox,c] / divisor(oy,ox)
func (a *Avg) Backward(p *parallel.Pool, n int, dx, dy []float32) {
	mem.CheckLen("pooling.Avg.Backward", "dx", dx, n*a.H*a.W*a.C)
	mem.CheckLen("pooling.Avg.Backward", "dy", dy, n*a.outH*a.outW*a.C)
	a.dx, a.dy = dx, dy
	p.Run(n, (*avgBackward)(a))
}

// divisor is PyTorch's: padding counts if asked for, what lies beyond it (with Ceil) never does.
func (a *Avg) divisor(oy, ox int) float32 {
	if !a.includePad {
		w := a.window(oy, ox)
		return float32((w.y1 - w.y0) * (w.x1 - w.x0))
	}
	y, x := oy*a.SH-a.PH, ox*a.SW-a.PW
	return float32((min(y+a.KH, a.H+a.PH) - y) * (min(x+a.KW, a.W+a.PW) - x))
}

type avgForward Avg

func (k *avgForward) Do(task, _ int) {
	a := (*Avg)(k)
	sample, oy := task/a.outH, task%a.outH
	x := a.x[sample*a.H*a.W*a.C : (sample+1)*a.H*a.W*a.C]
	for ox := range a.outW {
		at := (task*a.outW + ox) * a.C
		meanWindow(a.y[at:at+a.C], x, a.W, a.window(oy, ox), a.divisor(oy, ox))
	}
}

type avgBackward Avg

func (k *avgBackward) Do(sample, _ int) {
	a := (*Avg)(k)
	dx := a.dx[sample*a.H*a.W*a.C : (sample+1)*a.H*a.W*a.C]
	clear(dx)
	for oy := range a.outH {
		for ox := range a.outW {
			at := ((sample*a.outH+oy)*a.outW + ox) * a.C
			spreadWindow(dx, a.dy[at:at+a.C], a.W, a.window(oy, ox), a.divisor(oy, ox))
		}
	}
}

// meanWindow is y[c] = Σ x[i,j,c] / divisor over the window's positions (i,j) of x, which is rowWidth positions wide.
func meanWindow(y, x []float32, rowWidth int, w window, divisor float32) {
	c := len(y)
	clear(y)
	if w.x1-w.x0 == rowWidth { // whole rows lie one after the other
		w.x1 = (w.y1 - w.y0) * rowWidth
		w.y1 = w.y0 + 1
	}
	for i := w.y0; i < w.y1; i++ {
		for first, last := i*rowWidth+w.x0, i*rowWidth+w.x1; first < last; first += parallel.BlockRows {
			rows := min(parallel.BlockRows, last-first)
			vec.SumChannels(y, x[first*c:(first+rows)*c], rows)
		}
	}
	vec.Scale(y, y, 1/divisor)
}

// spreadWindow is dx[i,j,c] += dy[c] / divisor over the window's positions (i,j).
func spreadWindow(dx, dy []float32, rowWidth int, w window, divisor float32) {
	c := len(dy)
	for i := w.y0; i < w.y1; i++ {
		for j := w.x0; j < w.x1; j++ {
			at := (i*rowWidth + j) * c
			vec.AddScaled(dx[at:at+c], dx[at:at+c], dy, 1/divisor)
		}
	}
}
