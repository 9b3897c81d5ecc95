package bench

import (
	"fmt"
	"math"
	"slices"

	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/models/graph"
)

// An adoption makes a network with the weights of another implementation compute what that one does. Nothing is left to
// be remembered of it but, for evaluation, how the network wants to see images.
type adoption struct {
	weights *train.Weights
	graph   *graph.Graph
	train   bool // the network is trained on, with images as ever

	featuresOnly bool // nobody asks for the classifier's output
	view         market1501.View
	did          []string // what was done, for a note
}

// adopt changes weights that have been loaded from a source's file.
func (a *adoption) adopt(c models.Conventions) error {
	a.view = market1501.ImageNet
	for _, step := range []func(models.Conventions) error{a.adoptEps, a.adoptPadding, a.adoptInput} {
		if err := step(c); err != nil {
			return err
		}
	}
	return nil
}

func (a *adoption) say(format string, values ...any) {
	a.did = append(a.did, fmt.Sprintf(format, values...))
}

// adoptEps makes the epsilon of the source's batch norms part of their scales: γ·√((σ² + ε) / (σ² + ε′)) with ε is γ
// with ε′, as long as the running variance σ² stays what it is.
func (a *adoption) adoptEps(c models.Conventions) error {
	var ours float64
	for _, n := range a.graph.Nodes {
		op, ok := n.Op.(graph.BatchNorm)
		if !ok || !n.Owns() || c.Eps == 0 || op.Eps == c.Eps {
			continue
		}
		ours = op.Eps
		gamma, variance := a.weights.Get(n.Params[0].Name), a.weights.Get(n.Buffers[1].Name)
		for i, v := range variance {
			gamma[i] *= float32(math.Sqrt((float64(v) + op.Eps) / (float64(v) + c.Eps)))
		}
		if err := a.weights.Set(n.Params[0].Name, gamma); err != nil {
			return err
		}
	}
	if ours != 0 {
		a.say("the epsilon of its batch norms, %g, became part of their scales", c.Eps)
		if a.train {
			a.did[len(a.did)-1] += fmt.Sprintf(", and training goes on with %g", ours)
		}
	}
	return nil
}

// adoptPadding turns every filter, and the images, by 180°. On a side of even length a strided convolution that pads
// alike on both sides never reads the last of its padding; turned, that is what TensorFlow does.
func (a *adoption) adoptPadding(c models.Conventions) error {
	if !c.SamePadding {
		return nil
	}
	if a.train {
		a.say("its strided convolutions pad below and to the right, as TensorFlow does, where this network pads on " +
			"all sides: its features are other ones until training has made up for it")
		return nil
	}
	for _, n := range a.graph.Nodes {
		op, ok := n.Op.(graph.Conv)
		area := op.Kernel.H * op.Kernel.W
		if !ok || !n.Owns() || area == 1 {
			continue
		}
		if in := n.Inputs[0].Shape; op.Stride.H > 1 && (in.H%2 != 0 || in.W%2 != 0) {
			return fmt.Errorf("%s pads as TensorFlow does, which needs maps of even sides, not %v", n.Name, in)
		}
		filters := a.weights.Get(n.Params[0].Name) // [O, I, KH, KW]
		for filter := range slices.Chunk(filters, area) {
			slices.Reverse(filter)
		}
		if err := a.weights.Set(n.Params[0].Name, filters); err != nil {
			return err
		}
	}
	a.view.Turned = true
	a.say("its convolutions pad as TensorFlow does, so filters and images are turned by 180°")
	return nil
}

// adoptInput makes the source's normalisation x′ = a·x + b of our input x part of the first convolution. Where that
// pads, a padded zero is another colour to the source than it is here, so images are normalised as the source does.
func (a *adoption) adoptInput(c models.Conventions) error {
	mean, std := c.Input.MeanStd()
	ours, oursStd := models.ImageNet.MeanStd()
	if mean == ours && std == oursStd {
		return nil
	}
	readers := a.graph.Uses()[a.graph.Input.ID]
	op, ok := readers[0].Op.(graph.Conv)
	if !ok || len(readers) != 1 {
		return fmt.Errorf("%s normalises images otherwise, which cannot become part of %s", c.Input, readers[0].Name)
	}
	if op.Pad != (graph.Size2{}) && !a.train {
		for i := range 3 {
			a.view.Mean[i], a.view.Std[i] = float32(mean[i]), float32(std[i])
		}
		a.say("images are normalised as its are, by %s", meanStd(mean, std))
		return nil
	}
	first := readers[0]
	weight := a.weights.Get(first.Params[0].Name) // [O, 3, KH, KW]
	shift, area := make([]float64, op.Out), op.Kernel.H*op.Kernel.W
	for i, w := range weight {
		channel, out := i/area%3, i/area/3
		shift[out] += float64(w) * (ours[channel] - mean[channel]) / std[channel]
		weight[i] = float32(float64(w) * oursStd[channel] / std[channel])
	}
	if err := a.weights.Set(first.Params[0].Name, weight); err != nil {
		return err
	}
	into, sign, err := a.takesShift(first)
	if err != nil {
		return err
	}
	values := a.weights.Get(into.Name)
	for i := range values {
		values[i] = float32(float64(values[i]) + sign*shift[i])
	}
	a.say("its normalisation of images, %s, became part of %s", meanStd(mean, std), first.Name)
	if op.Pad != (graph.Size2{}) {
		a.did[len(a.did)-1] += ", but for the border, which training has to make up for"
	}
	return a.weights.Set(into.Name, values)
}

// takesShift is what a constant that a convolution's output lacks can be added to, times the sign: its bias, or the
// running mean of the batch norm that alone reads it.
func (a *adoption) takesShift(conv *graph.Node) (*graph.Param, float64, error) {
	if len(conv.Params) > 1 {
		return conv.Params[1], 1, nil
	}
	if readers := a.graph.Uses()[conv.ID]; len(readers) == 1 {
		if _, ok := readers[0].Op.(graph.BatchNorm); ok {
			return readers[0].Buffers[0], -1, nil
		}
	}
	return nil, 0, fmt.Errorf("%s has no bias and no batch norm that could take another normalisation", conv.Name)
}

// meanStd is for people.
func meanStd(mean, std [3]float64) string {
	if mean[0] == mean[1] && mean[1] == mean[2] && std[0] == std[1] && std[1] == std[2] {
		return fmt.Sprintf("mean %g and deviation %g", mean[0], std[0])
	}
	return fmt.Sprintf("means %.3f and deviations %.3f", mean, std)
}
