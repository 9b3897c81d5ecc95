package move

import (
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// Windows gathers the pixels of windows that tile a map.
type Windows struct {
	h, w, c, kh, kw int
	y, x            []float32
}

// NewWindows returns the kernel for samples [h,w,c] and windows of kh×kw pixels, which must divide h and w.
func NewWindows(h, w, c, kh, kw int) *Windows { return &Windows{h: h, w: w, c: c, kh: kh, kw: kw} }

// Forward computes, for every sample n, window (i, j), pixel (a, b) of it and channel k,
//
//	y[n, i, j, a, b, k] = x[n, i*KH+a, j*KW+b, k]
func (v *Windows) Forward(p *parallel.Pool, n int, y, x []float32) {
	mem.CheckLen("move.Windows.Forward", "y", y, n*v.h*v.w*v.c)
	mem.CheckLen("move.Windows.Forward", "x", x, n*v.h*v.w*v.c)
	v.y, v.x = y, x
	p.Run(n, (*windowsForward)(v))
}

// Backward is the inverse of Forward:
//
//	dx[n, i*KH+a, j*KW+b, k] = dy[n, i, j, a, b, k]
func (v *Windows) Backward(p *parallel.Pool, n int, dx, dy []float32) {
	mem.CheckLen("move.Windows.Backward", "dx", dx, n*v.h*v.w*v.c)
	mem.CheckLen("move.Windows.Backward", "dy", dy, n*v.h*v.w*v.c)
	v.y, v.x = dy, dx
	p.Run(n, (*windowsBackward)(v))
}

// eachRun visits the stretches of one window's row that lie together in both orders.
func (v *Windows) eachRun(sample int, visit func(window, pixel []float32)) {
	size, run := v.h*v.w*v.c, v.kw*v.c
	at := sample * size
	for i := range v.h / v.kh {
		for j := range v.w / v.kw {
			for a := range v.kh {
				from := sample*size + ((i*v.kh+a)*v.w+j*v.kw)*v.c
				visit(v.y[at:at+run], v.x[from:from+run])
				at += run
			}
		}
	}
}

type windowsForward Windows

func (v *windowsForward) Do(sample, _ int) {
	(*Windows)(v).eachRun(sample, func(window, pixel []float32) { copy(window, pixel) })
}

type windowsBackward Windows

func (v *windowsBackward) Do(sample, _ int) {
	(*Windows)(v).eachRun(sample, func(window, pixel []float32) { copy(pixel, window) })
}
