package train

import (
	"math"
	"slices"
	"testing"

	"github.com/reidbench/reidbench/models/graph"
)

// TestOutputs: the outputs that a program is asked for are those of the network that it computes anyway, though its
// layers share memory and it would fuse them. Between fused and plain lies the rounding of a few sums, as in
// TestFusionAndRecomputation.
func TestOutputs(t *testing.T) {
	for _, s := range samples {
		t.Run(s.name, func(t *testing.T) {
			fused, _ := sampleProgram(t, s, 2, Options{})
			fused.Forward(3)
			g := s.graph(t)
			// A program that is asked for all keeps them apart.
			every := sampleOutputs(t, s, func(g *graph.Graph) []*graph.Node { return g.Nodes })
			every.Forward(3)
			for i, n := range g.Nodes {
				one := sampleOutputs(t, s, func(g *graph.Graph) []*graph.Node { return g.Nodes[i : i+1] })
				one.Forward(3)
				want := every.Output(every.graph.Nodes[i], 3)
				if got := one.Output(one.graph.Nodes[i], 3); !slices.Equal(want, got) {
					t.Errorf("layer %s alone is other than among all", n.Name)
				}
			}
			features := every.Output(every.graph.Features, 3)
			for i, want := range fused.Features(3) {
				if d := math.Abs(float64(features[i] - want)); !(d <= 1e-5*(1+math.Abs(float64(want)))) {
					t.Fatalf("feature %d: %v, want %v", i, features[i], want)
				}
			}
		})
	}
}

// sampleOutputs is a sample's program for inference that is asked for some outputs.
func sampleOutputs(t *testing.T, s sample, which func(*graph.Graph) []*graph.Node) *Program {
	t.Helper()
	p, w := sampleProgram(t, s, 2, Options{})
	asked, err := Compile(w.graph, w, p.pool, Options{Batch: sampleBatch, Outputs: which(w.graph)})
	if err != nil {
		t.Fatal(err)
	}
	copy(asked.Images(), p.Images())
	return asked
}

func TestOutputsOfAnotherGraph(t *testing.T) {
	p, w := sampleProgram(t, samples[0], 1, Options{})
	other := samples[1].graph(t)
	if _, err := Compile(w.graph, w, p.pool, Options{Batch: 1, Outputs: other.Nodes[1:2]}); err == nil {
		t.Error("compiled")
	}
}
