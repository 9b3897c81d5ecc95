package flops

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/models/graph"
)

// TestCountByHand holds single layers against counts that are written out here.
func TestCountByHand(t *testing.T) {
	square := graph.Square
	tests := map[string]struct {
		input graph.Shape
		layer func(b *graph.Builder, x *graph.Node) *graph.Node
		want  Cost
	}{
		"conv with a bias": {
			graph.Shape{H: 8, W: 6, C: 4},
			func(b *graph.Builder, x *graph.Node) *graph.Node {
				return b.Conv("layer", x, graph.Conv{Out: 10, Kernel: square(3), Stride: square(2), Pad: square(1),
					Groups: 2, Bias: true})
			},
			Cost{Params: 10*2*9 + 10, ConvMACs: 4 * 3 * 10 * 18, PaperParams: 10*2*9 + 10, PaperMACs: 4 * 3 * 10 * 19},
		},
		"linear over tokens": {
			graph.Shape{H: 2, W: 5, C: 4},
			func(b *graph.Builder, x *graph.Node) *graph.Node { return b.Linear("layer", x, 7) },
			Cost{Params: 4*7 + 7, LinearMACs: 10 * 4 * 7, PaperParams: 4*7 + 7, PaperMACs: 10 * 4 * 7},
		},
		"batch norm": {
			graph.Shape{H: 8, W: 6, C: 4},
			func(b *graph.Builder, x *graph.Node) *graph.Node { return b.BatchNorm("layer", x) },
			Cost{Params: 8, PaperParams: 8, PaperMACs: 2 * 8 * 6 * 4},
		},
		"layer norm": {
			graph.Shape{H: 1, W: 5, C: 4},
			func(b *graph.Builder, x *graph.Node) *graph.Node { return b.LayerNorm("layer", x, 1e-6) },
			Cost{Params: 8},
		},
		"average pool": {
			graph.Shape{H: 8, W: 6, C: 4},
			func(b *graph.Builder, x *graph.Node) *graph.Node {
				return b.Op("layer", graph.AvgPool{Kernel: square(2)}, x)
			},
			Cost{PaperMACs: 4 * 3 * 4},
		},
		"adaptive average pool": {
			graph.Shape{H: 8, W: 7, C: 4},
			func(b *graph.Builder, x *graph.Node) *graph.Node {
				return b.Op("layer", graph.AdaptiveAvgPool{Out: square(2)}, x)
			},
			Cost{PaperMACs: 16 * (4*3 + 1)},
		},
		"mean that is no module": {
			graph.Shape{H: 8, W: 6, C: 4},
			func(b *graph.Builder, x *graph.Node) *graph.Node {
				return b.Op("layer", graph.AdaptiveAvgPool{Out: square(1), Functional: true}, x)
			},
			Cost{},
		},
		"attention within each sequence": {
			graph.Shape{H: 3, W: 5, C: 12},
			func(b *graph.Builder, x *graph.Node) *graph.Node { return b.Op("layer", graph.Attention{Heads: 2}, x) },
			Cost{MatMulMACs: 3 * (5*5*4 + 5*5*4)},
		},
		"matrix product": {
			graph.Shape{H: 1, W: 5, C: 12},
			func(b *graph.Builder, x *graph.Node) *graph.Node {
				return b.Op("layer", graph.MatMul{TransposeA: true}, x, x)
			},
			Cost{MatMulMACs: 12 * 12 * 5},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := graph.NewBuilder("net", test.input)
			x := test.layer(b, b.Input())
			x = b.Op("mean", graph.AdaptiveAvgPool{Out: square(1), Functional: true}, x)
			g, err := b.Graph(x, b.Linear("head", x, 3))
			if err != nil {
				t.Fatal(err)
			}
			r, err := Count(g)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, r.Total); diff != "" {
				t.Errorf("total without the classifier (-want +counted):\n%s", diff)
			}
			if want := int64(3*x.Shape.C + 3); r.Classifier.Params != want {
				t.Errorf("the classifier has %d parameters, not %d", r.Classifier.Params, want)
			}
			if len(r.Costs) != len(g.Nodes) {
				t.Errorf("%d costs for %d nodes", len(r.Costs), len(g.Nodes))
			}
		})
	}
}

func TestSharedLayersCountParametersOnce(t *testing.T) {
	b := graph.NewBuilder("net", graph.Shape{H: 1, W: 1, C: 4})
	x := b.Input()
	for range 3 {
		x = b.Shared(func() *graph.Node { return b.Linear("fc", x, 4) })
	}
	g, err := b.Graph(x, b.Linear("head", x, 2))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Count(g)
	if err != nil {
		t.Fatal(err)
	}
	if r.Total.Params != 20 || r.Total.MACs() != 3*16 {
		t.Errorf("%d parameters and %d MACs, want 20 and 48", r.Total.Params, r.Total.MACs())
	}
}

// strange is an operation that nothing knows.
type strange struct{ graph.Op }

func TestCountRefusesUnknownOperations(t *testing.T) {
	g := &graph.Graph{Name: "net", Nodes: []*graph.Node{{Name: "odd", Op: strange{graph.Add{}}}}}
	_, err := Count(g)
	if err == nil || !strings.Contains(err.Error(), "counting net, layer odd") ||
		!strings.Contains(err.Error(), "strange") {
		t.Errorf("error %v, want one that names the network, the layer and the operation", err)
	}
}

// TestCountOfANeck: its bias, which is never trained, is none of the exact counting's parameters, but one of the
// published counting's.
func TestCountOfANeck(t *testing.T) {
	b := graph.NewBuilder("net", graph.Shape{H: 1, W: 1, C: 4})
	x := b.Linear("fc", b.Input(), 6)
	g, err := b.Graph(b.Neck(x, b.Linear("head", x, 2)))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Count(g)
	if err != nil {
		t.Fatal(err)
	}
	want := Cost{Params: 30 + 6, LinearMACs: 24, PaperParams: 30 + 12, PaperMACs: 24 + 12}
	if diff := cmp.Diff(want, r.Total); diff != "" || r.Classifier.Params != 12 {
		t.Errorf("the classifier has %d parameters; total (-want +counted):\n%s", r.Classifier.Params, diff)
	}
}
