package pooling

import (
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/vec"
)

// AdaptiveAvg takes the mean over a given number of windows that cover the input.
type AdaptiveAvg struct {
	h, w, c, outH, outW int

	y, x, dx, dy []float32
}

// NewAdaptiveAvg returns the kernel from samples [h,w,c] to [outH,outW,c].
func NewAdaptiveAvg(h, w, c, outH, outW int) *AdaptiveAvg {
	return &AdaptiveAvg{h: h, w: w, c: c, outH: outH, outW: outW}
}

// Forward computes the mean over the rows i in [⌊oy·h/outH⌋, ⌈(oy+1)·h/outH⌉) and the columns j in
// [⌊ox·w/outW⌋, ⌈(ox+1)·w/outW⌉), count positions in all:
//
//	y[n,oy,ox,c] = Σ x[n,i,j,c] / count
func (a *AdaptiveAvg) Forward(p *parallel.Pool, n int, y, x []float32) {
	mem.CheckLen("pooling.AdaptiveAvg.Forward", "y", y, n*a.outH*a.outW*a.c)
	mem.CheckLen("pooling.AdaptiveAvg.Forward", "x", x, n*a.h*a.w*a.c)
	a.y, a.x = y, x
	p.Run(n*a.outH, (*adaptiveForward)(a))
}

// Backward spreads every dy over its window:
//
//	dx = 0; dx[n,i,j,c] += dy[n,oy,ox,c] / count
func (a *AdaptiveAvg) Backward(p *parallel.Pool, n int, dx, dy []float32) {
	mem.CheckLen("pooling.AdaptiveAvg.Backward", "dx", dx, n*a.h*a.w*a.c)
	mem.CheckLen("pooling.AdaptiveAvg.Backward", "dy", dy, n*a.outH*a.outW*a.c)
	a.dx, a.dy = dx, dy
	p.Run(n, (*adaptiveBackward)(a))
}

// window returns the input positions of an output and their number.
func (a *AdaptiveAvg) window(oy, ox int) (w window, count float32) {
	w = window{
		y0: oy * a.h / a.outH, y1: mem.CeilDiv((oy+1)*a.h, a.outH),
		x0: ox * a.w / a.outW, x1: mem.CeilDiv((ox+1)*a.w, a.outW),
	}
	return w, float32((w.y1 - w.y0) * (w.x1 - w.x0))
}

type adaptiveForward AdaptiveAvg

func (k *adaptiveForward) Do(task, _ int) {
	a := (*AdaptiveAvg)(k)
	sample, oy := task/a.outH, task%a.outH
	x := a.x[sample*a.h*a.w*a.c : (sample+1)*a.h*a.w*a.c]
	for ox := range a.outW {
		at := (task*a.outW + ox) * a.c
		w, count := a.window(oy, ox)
		meanWindow(a.y[at:at+a.c], x, a.w, w, count)
	}
}

type adaptiveBackward AdaptiveAvg

func (k *adaptiveBackward) Do(sample, _ int) {
	a := (*AdaptiveAvg)(k)
	dx := a.dx[sample*a.h*a.w*a.c : (sample+1)*a.h*a.w*a.c]
	dy := a.dy[sample*a.outH*a.outW*a.c : (sample+1)*a.outH*a.outW*a.c]
	if a.outH == 1 && a.outW == 1 {
		first := dx[:a.c]
		vec.Scale(first, dy, 1/float32(a.h*a.w))
		for rest := dx[a.c:]; len(rest) > 0; rest = rest[a.c:] {
			copy(rest[:a.c], first)
		}
		return
	}
	clear(dx)
	for oy := range a.outH {
		for ox := range a.outW {
			at := (oy*a.outW + ox) * a.c
			w, count := a.window(oy, ox)
			spreadWindow(dx, dy[at:at+a.c], a.w, w, count)
		}
	}
}
