package optim

import (
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// SGD updates size parameters by their gradients with momentum, as torch.optim.SGD does.
type SGD struct {
	size    int
	w, g, v []float32
	rule    sgdRule
}

// NewSGD returns the kernel for the given number of parameters.
func NewSGD(size int) *SGD { return &SGD{size: size} }

// sgdRule holds the numbers of one step.
type sgdRule struct{ rate, momentum, decay float32 }

// Step does a step on the parameters w with their gradients g, of NewSGD's size. The velocity v, zero before the first
// step, is kept by the caller:
//
//	v = momentum*v + g + weightDecay*w
//	w = w - learningRate*v
func (s *SGD) Step(p *parallel.Pool, w, g, v []float32, learningRate, momentum, weightDecay float64) {
	mem.CheckLen("optim.SGD.Step", "w", w, s.size)
	mem.CheckLen("optim.SGD.Step", "g", g, s.size)
	mem.CheckLen("optim.SGD.Step", "v", v, s.size)
	s.w, s.g, s.v = w, g, v
	s.rule = sgdRule{rate: float32(learningRate), momentum: float32(momentum), decay: float32(weightDecay)}
	p.Run(parallel.Tasks(s.size), (*sgdTasks)(s))
}

type sgdTasks SGD

func (s *sgdTasks) Do(task, _ int) {
	lo, hi := parallel.Range(task, s.size)
	w, g, v, rule := s.w[lo:hi], s.g[lo:hi], s.v[lo:hi], s.rule
	g, v = g[:len(w)], v[:len(w)]
	for i := range w {
		v[i] = rule.momentum*v[i] + (g[i] + rule.decay*w[i])
		w[i] -= rule.rate * v[i]
	}
}

// Shrink multiplies size parameters by a factor: the decay of weights that is not part of their gradient (Loshchilov
// and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019).
type Shrink struct {
	size   int
	w      []float32
	factor float32
}

// NewShrink returns the kernel for the given number of parameters.
func NewShrink(size int) *Shrink { return &Shrink{size: size} }

// Step multiplies w, of NewShrink's size, by factor.
func (s *Shrink) Step(p *parallel.Pool, w []float32, factor float64) {
	mem.CheckLen("optim.Shrink.Step", "w", w, s.size)
	s.w, s.factor = w, float32(factor)
	p.Run(parallel.Tasks(s.size), (*shrinkTasks)(s))
}

type shrinkTasks Shrink

func (s *shrinkTasks) Do(task, _ int) {
	lo, hi := parallel.Range(task, s.size)
	w := s.w[lo:hi]
	for i := range w {
		w[i] *= s.factor
	}
}
