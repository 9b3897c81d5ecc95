// Package focus says where in an image a network looks: as the activations of its last map, as torchreid draws them,
// or, where tokens attend to each other, as how much the embedding takes of each place by attention rollout.
package focus

import (
	"fmt"
	"math"

	"github.com/reidbench/reidbench/models/graph"
)

// A Method is how a map is made.
type Method string

// The methods.
const (
	// Activation is the sum over channels of the squared activations at each position of the last map before it is
	// pooled, divided by the Euclidean length of all positions' sums: torchreid's tools/visualize_actmap.py, after
	// Zagoruyko and Komodakis, "Paying More Attention to Attention", ICLR 2017.
	Activation Method = "activation"
	// Rollout is the share of the embedding that comes from each patch, by attention alone: Abnar and Zuidema,
	// "Quantifying Attention Flow in Transformers", ACL 2020, §3.
	Rollout Method = "rollout"
)

// Outputs are what nodes have made of one image, [H, W, C] each.
type Outputs func(*graph.Node) []float32

// A Focus makes maps of what a network has made of images.
type Focus struct {
	Method        Method
	Height, Width int           // of its maps, positions
	Needs         []*graph.Node // whose outputs it reads
	graph         *graph.Graph
}

// New finds how to see where a network looks. The error names what stands in the way.
func New(g *graph.Graph) (*Focus, error) {
	f := &Focus{Method: Activation, graph: g}
	for _, n := range g.Nodes {
		switch n.Op.(type) {
		case graph.Attention, graph.Softmax:
			f.Method = Rollout
		}
	}
	var err error
	if f.Method == Rollout {
		err = f.planRollout()
	} else {
		err = f.findMap()
	}
	if err != nil {
		return nil, fmt.Errorf("where %s looks: %w", g.Name, err)
	}
	return f, nil
}

// Map is where the network looks in an image, in rows, [Height, Width].
func (f *Focus) Map(outputs Outputs) []float64 {
	if f.Method == Rollout {
		return f.rollout(outputs)
	}
	return f.activation(outputs)
}

// findMap finds the last map that features are made of: what lies before pooling to vectors, or to a fixed size.
func (f *Focus) findMap() error {
	n := f.graph.Features
	for n.Shape.IsVector() {
		if len(n.Inputs) == 0 {
			return fmt.Errorf("its features are made of no map")
		}
		n = n.Inputs[0]
	}
	for {
		switch n.Op.(type) {
		case graph.AdaptiveAvgPool, graph.Dropout, graph.DropPath:
			n = n.Inputs[0]
			continue
		}
		break
	}
	f.Height, f.Width, f.Needs = n.Shape.H, n.Shape.W, []*graph.Node{n}
	return nil
}

func (f *Focus) activation(outputs Outputs) []float64 {
	n := f.Needs[0]
	values, channels := outputs(n), n.Shape.C
	energy, length := make([]float64, n.Shape.Positions()), 0.0
	for i := range energy {
		for _, v := range values[i*channels:][:channels] {
			energy[i] += float64(v) * float64(v)
		}
		length += energy[i] * energy[i]
	}
	// As torch.nn.functional.normalize does: a map of zeros stays one.
	length = max(math.Sqrt(length), 1e-12)
	for i := range energy {
		energy[i] /= length
	}
	return energy
}
