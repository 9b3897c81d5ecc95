package move

import (
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/vec"
)

// Upsample repeats every position factor times in both directions (nearest neighbour).
type Upsample struct {
	h, w, c, factor int
	y, x            []float32
}

// NewUpsample returns the kernel from samples [h,w,c] to [h*factor,w*factor,c].
func NewUpsample(h, w, c, factor int) *Upsample {
	return &Upsample{h: h, w: w, c: c, factor: factor}
}

// Forward computes
//
//	y[n,i,j,c] = x[n, i/factor, j/factor, c]
func (u *Upsample) Forward(p *parallel.Pool, n int, y, x []float32) {
	mem.CheckLen("move.Upsample.Forward", "y", y, n*u.h*u.w*u.factor*u.factor*u.c)
	mem.CheckLen("move.Upsample.Forward", "x", x, n*u.h*u.w*u.c)
	u.y, u.x = y, x
	p.Run(n*u.h, (*upsampleForward)(u))
}

// Backward computes
//
//	dx[n,i,j,c] = Σ over a, b below factor of dy[n, i*factor+a, j*factor+b, c]
func (u *Upsample) Backward(p *parallel.Pool, n int, dx, dy []float32) {
	mem.CheckLen("move.Upsample.Backward", "dx", dx, n*u.h*u.w*u.c)
	mem.CheckLen("move.Upsample.Backward", "dy", dy, n*u.h*u.w*u.factor*u.factor*u.c)
	u.x, u.y = dx, dy
	p.Run(n*u.h, (*upsampleBackward)(u))
}

type upsampleForward Upsample

// Do fills the factor output rows of one input row.
func (u *upsampleForward) Do(row, _ int) {
	line := u.w * u.factor * u.c
	y := u.y[row*u.factor*line : (row+1)*u.factor*line]
	for j := range u.w {
		x := u.x[(row*u.w+j)*u.c:][:u.c]
		for b := range u.factor {
			copy(y[(j*u.factor+b)*u.c:], x)
		}
	}
	for a := 1; a < u.factor; a++ {
		copy(y[a*line:], y[:line])
	}
}

type upsampleBackward Upsample

func (u *upsampleBackward) Do(row, _ int) {
	line := u.w * u.factor * u.c
	for j := range u.w {
		dx := u.x[(row*u.w+j)*u.c:][:u.c]
		clear(dx)
		for a := range u.factor {
			dy := u.y[(row*u.factor+a)*line+j*u.factor*u.c:][:u.factor*u.c]
			vec.SumChannels(dx, dy, u.factor)
		}
	}
}
