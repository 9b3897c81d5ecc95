package attention

import (
	"math"

	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/vec"
)

// Softmax turns every row into probabilities.
type Softmax struct {
	cols int

	rows, perTask int
	y, x, dx, dy  []float32
}

// NewSoftmax returns the kernel for rows of cols values.
func NewSoftmax(cols int) *Softmax { return &Softmax{cols: cols} }

// Forward computes, for every row r,
//
//	y[r,j] = exp(x[r,j]-m) / Σ_k exp(x[r,k]-m), m = max_k x[r,k]
//
// y may be x.
func (s *Softmax) Forward(p *parallel.Pool, rows int, y, x []float32) {
	mem.CheckLen("attention.Softmax.Forward", "y", y, rows*s.cols)
	mem.CheckLen("attention.Softmax.Forward", "x", x, rows*s.cols)
	s.rows, s.y, s.x = rows, y, x
	s.run(p, (*softmaxForward)(s))
}

// Backward computes, from the probabilities y,
//
//	dx[r,j] = y[r,j] * (dy[r,j] - Σ_k dy[r,k]*y[r,k])
//
// dx may be dy.
func (s *Softmax) Backward(p *parallel.Pool, rows int, dx, dy, y []float32) {
	mem.CheckLen("attention.Softmax.Backward", "dx", dx, rows*s.cols)
	mem.CheckLen("attention.Softmax.Backward", "dy", dy, rows*s.cols)
	mem.CheckLen("attention.Softmax.Backward", "y", y, rows*s.cols)
	s.rows, s.dx, s.dy, s.y = rows, dx, dy, y
	s.run(p, (*softmaxBackward)(s))
}

func (s *Softmax) run(p *parallel.Pool, j parallel.Job) {
	s.perTask = max(1, 1024/s.cols)
	p.Run(mem.CeilDiv(s.rows, s.perTask), j)
}

type softmaxForward Softmax

func (s *softmaxForward) Do(task, _ int) {
	for r := task * s.perTask; r < min((task+1)*s.perTask, s.rows); r++ {
		x, y := s.x[r*s.cols:(r+1)*s.cols], s.y[r*s.cols:(r+1)*s.cols]
		top := maxOf(x)
		sum := 0.0
		for j, v := range x {
			e := math.Exp(float64(v) - top)
			sum += e
			y[j] = float32(e)
		}
		vec.Scale(y, y, float32(1/sum))
	}
}

type softmaxBackward Softmax

func (s *softmaxBackward) Do(task, _ int) {
	for r := task * s.perTask; r < min((task+1)*s.perTask, s.rows); r++ {
		dx, dy, y := s.dx[r*s.cols:(r+1)*s.cols], s.dy[r*s.cols:(r+1)*s.cols], s.y[r*s.cols:(r+1)*s.cols]
		dot := 0.0
		for j, v := range y {
			dot += float64(v) * float64(dy[j])
		}
		for j, v := range y {
			dx[j] = float32(float64(v) * (float64(dy[j]) - dot))
		}
	}
}

// maxOf returns the largest value of a row, NaN if it has one.
func maxOf(x []float32) float64 {
	top := x[0]
	for _, v := range x {
		if v > top || v != v {
			top = v
		}
	}
	return float64(top)
}
