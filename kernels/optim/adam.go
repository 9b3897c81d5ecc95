// Package optim answers how parameters move: [Adam] and [SGD] update them from their gradients.
package optim

import (
	"math"

	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// Adam updates size parameters (Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015), as
// torch.optim.Adam does.
type Adam struct {
	size       int
	w, g, m, v []float32
	rule       adamRule
}

// NewAdam returns the kernel for the given number of parameters.
func NewAdam(size int) *Adam { return &Adam{size: size} }

// AdamStep holds the numbers of a step of [Adam].
type AdamStep struct {
	LearningRate, Beta1, Beta2, Eps, WeightDecay float64

	Number int // of the step, counted from 1
}

// Step does a step on the parameters w with their gradients g, of NewAdam's size. The moving averages m and v are kept
// by the caller. With t the step's number and lr the learning rate,
//
//	g = g + weightDecay*w
//	m = m + (1-beta1)*(g-m)
//	v = beta2*v + (1-beta2)*g²
//	w = w - lr/(1-beta1ᵗ) * m / (sqrt(v)/sqrt(1-beta2ᵗ) + eps)
//
// g itself is not changed.
func (a *Adam) Step(p *parallel.Pool, w, g, m, v []float32, s AdamStep) {
	mem.CheckLen("optim.Adam.Step", "w", w, a.size)
	mem.CheckLen("optim.Adam.Step", "g", g, a.size)
	mem.CheckLen("optim.Adam.Step", "m", m, a.size)
	mem.CheckLen("optim.Adam.Step", "v", v, a.size)
	a.w, a.g, a.m, a.v = w, g, m, v
	t := float64(s.Number)
	a.rule = adamRule{
		gain1: float32(1 - s.Beta1), beta2: float32(s.Beta2), gain2: float32(1 - s.Beta2),
		rate: float32(s.LearningRate / (1 - math.Pow(s.Beta1, t))),
		root: float32(1 / math.Sqrt(1-math.Pow(s.Beta2, t))),
		eps:  float32(s.Eps), decay: float32(s.WeightDecay),
	}
	p.Run(parallel.Tasks(a.size), (*updateTasks)(a))
}

type updateTasks Adam

func (a *updateTasks) Do(task, _ int) {
	lo, hi := parallel.Range(task, a.size)
	adamUpdate(a.w[lo:hi], a.g[lo:hi], a.m[lo:hi], a.v[lo:hi], &a.rule)
}
