package train

import (
	"fmt"

	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/optim"
)

// Adam is torch.optim.Adam: Kingma & Ba 2015, Algorithm 1, with the weight decay added to the gradient. It updates the
// parameters that its stage trains and leaves the others alone.
type Adam struct {
	WeightDecay, Beta1, Beta2, Eps float64

	weights *Weights
	updates []*update
	mean    []float32 // first moments, laid out like the parameters
	square  []float32 // second moments
	steps   int
}

// An update is one stretch of the parameters' slab.
type update struct {
	from, to int
	kernel   *optim.Adam
}

// NewAdam makes an optimiser for the parameters of w that the stage trains.
func NewAdam(w *Weights, stage Stage, weightDecay float64) *Adam {
	a := &Adam{WeightDecay: weightDecay, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, weights: w}
	switch stage {
	case Everything:
		a.add(0, len(w.parameters))
	case ClassifierOnly:
		for _, p := range w.graph.Classifier.Params {
			place := w.mustPlace(p.Name)
			a.add(place.start, place.start+len(place.values))
		}
	default:
		panic(fmt.Sprintf("train: an optimiser for %v", stage))
	}
	a.mean, a.square = mem.Allocate(len(w.parameters)), mem.Allocate(len(w.parameters))
	return a
}

func (a *Adam) add(from, to int) {
	a.updates = append(a.updates, &update{from, to, optim.NewAdam(to - from)})
}

// Step moves the parameters against the gradients that p holds.
func (a *Adam) Step(p *Program, lr float64) {
	if p.weights != a.weights {
		panic("train: the optimiser belongs to other weights")
	}
	a.steps++
	a.weights.changed()
	step := optim.AdamStep{
		LearningRate: lr, Beta1: a.Beta1, Beta2: a.Beta2, Eps: a.Eps, WeightDecay: a.WeightDecay, Number: a.steps,
	}
	for _, u := range a.updates {
		from, to := u.from, u.to
		parameters, gradients := a.weights.parameters[from:to], p.gradients[from:to]
		u.kernel.Step(p.pool, parameters, gradients, a.mean[from:to], a.square[from:to], step)
	}
}

// Steps is how many steps have been made.
func (a *Adam) Steps() int { return a.steps }

// SetSteps restores the number of steps from a checkpoint.
func (a *Adam) SetSteps(n int) { a.steps = n }

// Moments returns copies of a parameter's first and second moment in the published order.
func (a *Adam) Moments(name string) (mean, square []float32) {
	place := a.weights.mustPlace(name)
	return published(place.param, place.of(a.mean)), published(place.param, place.of(a.square))
}

// SetMoments restores a parameter's moments from a checkpoint.
func (a *Adam) SetMoments(name string, mean, square []float32) error {
	place, ok := a.weights.place[name]
	if !ok || len(mean) != len(place.values) || len(square) != len(place.values) {
		return fmt.Errorf("moments of %q: %d and %d elements don't fit the network", name, len(mean), len(square))
	}
	fromPublished(place.param, place.of(a.mean), mean)
	fromPublished(place.param, place.of(a.square), square)
	return nil
}
