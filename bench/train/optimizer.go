package train

import (
	"fmt"
	"slices"
	"strings"

	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/optim"
)

// A Rule is how parameters follow their gradients.
type Rule int

// The rules.
const (
	Adam  Rule = iota // torch.optim.Adam: Kingma & Ba 2015, Algorithm 1, with the weight decay added to the gradient
	AdamW             // torch.optim.AdamW: the decay shrinks the weights by itself (Loshchilov and Hutter, ICLR 2019)
	SGD               // torch.optim.SGD with a momentum of 0.9, the decay added to the gradient
)

var ruleNames = [...]string{Adam: "adam", AdamW: "adamw", SGD: "sgd"}

func (r Rule) String() string {
	if r < 0 || int(r) >= len(ruleNames) {
		return fmt.Sprintf("Rule(%d)", int(r))
	}
	return ruleNames[r]
}

// MarshalText is [Rule.String].
func (r Rule) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText is the inverse of [Rule.String].
func (r *Rule) UnmarshalText(text []byte) error {
	i := slices.Index(ruleNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("there is no optimiser %q, only %s", text, strings.Join(ruleNames[:], ", "))
	}
	*r = Rule(i)
	return nil
}

// An Optimizer updates the parameters that its stage trains and leaves the others alone.
type Optimizer struct {
	Rule                                     Rule
	WeightDecay, Beta1, Beta2, Eps, Momentum float64

	weights *Weights
	updates []*update
	mean    []float32 // first moments, or velocities, laid out like the parameters
	square  []float32 // second moments
	steps   int
}

// An update is one stretch of the parameters' slab.
type update struct {
	from, to int
	adam     *optim.Adam
	shrink   *optim.Shrink
	sgd      *optim.SGD
}

// NewOptimizer makes an optimiser for the parameters of w that the stage trains.
func NewOptimizer(rule Rule, w *Weights, stage Stage, weightDecay float64) *Optimizer {
	o := &Optimizer{
		Rule: rule, WeightDecay: weightDecay, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Momentum: 0.9, weights: w,
	}
	switch stage {
	case Everything:
		o.add(0, len(w.parameters))
	case ClassifierOnly:
		for _, p := range w.graph.Classifier.Params {
			place := w.mustPlace(p.Name)
			o.add(place.start, place.start+len(place.values))
		}
	default:
		panic(fmt.Sprintf("train: an optimiser for %v", stage))
	}
	o.mean, o.square = mem.Allocate(len(w.parameters)), mem.Allocate(len(w.parameters))
	return o
}

// NewAdam makes an optimiser of the published recipe's rule.
func NewAdam(w *Weights, stage Stage, weightDecay float64) *Optimizer {
	return NewOptimizer(Adam, w, stage, weightDecay)
}

func (o *Optimizer) add(from, to int) {
	size := to - from
	o.updates = append(o.updates, &update{from, to, optim.NewAdam(size), optim.NewShrink(size), optim.NewSGD(size)})
}

// Step moves the parameters against the gradients that p holds.
func (o *Optimizer) Step(p *Program, lr float64) {
	if p.weights != o.weights {
		panic("train: the optimiser belongs to other weights")
	}
	o.steps++
	o.weights.changed()
	step := optim.AdamStep{
		LearningRate: lr, Beta1: o.Beta1, Beta2: o.Beta2, Eps: o.Eps, WeightDecay: o.WeightDecay, Number: o.steps,
	}
	for _, u := range o.updates {
		from, to := u.from, u.to
		w, g, mean, square := o.weights.parameters[from:to], p.gradients[from:to], o.mean[from:to], o.square[from:to]
		switch o.Rule {
		case SGD:
			u.sgd.Step(p.pool, w, g, mean, lr, o.Momentum, o.WeightDecay)
			continue
		case AdamW:
			u.shrink.Step(p.pool, w, 1-lr*o.WeightDecay)
			step.WeightDecay = 0
		}
		u.adam.Step(p.pool, w, g, mean, square, step)
	}
}

// Steps is how many steps have been made.
func (o *Optimizer) Steps() int { return o.steps }

// SetSteps restores the number of steps from a checkpoint.
func (o *Optimizer) SetSteps(n int) { o.steps = n }

// Moments returns copies of a parameter's first and second moment, or its velocity and zeros, in the published order.
func (o *Optimizer) Moments(name string) (mean, square []float32) {
	place := o.weights.mustPlace(name)
	return published(place.param, place.of(o.mean)), published(place.param, place.of(o.square))
}

// SetMoments restores a parameter's moments from a checkpoint.
func (o *Optimizer) SetMoments(name string, mean, square []float32) error {
	place, ok := o.weights.place[name]
	if !ok || len(mean) != len(place.values) || len(square) != len(place.values) {
		return fmt.Errorf("moments of %q: %d and %d elements don't fit the network", name, len(mean), len(square))
	}
	fromPublished(place.param, place.of(o.mean), mean)
	fromPublished(place.param, place.of(o.square), square)
	return nil
}
