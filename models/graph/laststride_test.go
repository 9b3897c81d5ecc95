package graph

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// strided is a network whose last stage has a stride and a shortcut, and whose features are means.
func strided(b *Builder, last Conv) (features, logits *Node) {
	x := b.Conv("stem", b.Input(), Conv{Out: 4, Kernel: Square(3), Stride: Square(2), Pad: Square(1)})
	y := b.BatchNorm("norm", b.Conv("conv", x, last))
	x = b.Add("sum", y, b.Conv("shortcut", x, Conv{Out: 8, Kernel: Square(1), Stride: Square(2)}))
	features = b.GlobalAvgPool("pool", x)
	return features, b.Linear("head", features, 3)
}

func TestWithoutLastStride(t *testing.T) {
	b := NewBuilder("net", Shape{32, 16, 3})
	features, logits := strided(b, Conv{Out: 8, Kernel: Square(3), Stride: Square(2), Pad: Square(1)})
	if !b.WithoutLastStride() {
		t.Fatal("it has a last stride")
	}
	g, err := b.Graph(features, logits)
	if err != nil {
		t.Fatal(err)
	}
	shapes := map[string]Shape{}
	for _, n := range g.Nodes {
		shapes[n.Name] = n.Shape
	}
	want := map[string]Shape{
		"input": {32, 16, 3}, "stem": {16, 8, 4}, "conv": {16, 8, 8}, "norm": {16, 8, 8}, "shortcut": {16, 8, 8},
		"sum": {16, 8, 8}, "pool": {1, 1, 8}, "head": {1, 1, 3},
	}
	if diff := cmp.Diff(want, shapes); diff != "" {
		t.Errorf("shapes (-want +got):\n%s", diff)
	}
}

func TestNoLastStride(t *testing.T) {
	for name, build := range map[string]func(b *Builder) (features, logits *Node){
		"a size that would not stay": func(b *Builder) (features, logits *Node) {
			return strided(b, Conv{Out: 8, Kernel: Square(2), Stride: Square(2)})
		},
		"maps that are flattened": func(b *Builder) (features, logits *Node) {
			x := b.Conv("conv", b.Input(), Conv{Out: 2, Kernel: Square(3), Stride: Square(2), Pad: Square(1)})
			x = b.Op("flatten", Flatten{}, x)
			return x, b.Linear("head", x, 3)
		},
		"tokens": func(b *Builder) (features, logits *Node) {
			x := b.Conv("patches", b.Input(), Conv{Out: 8, Kernel: Square(1), Stride: Square(8)})
			x = b.Op("tokens", Reshape{Shape{1, 8, 8}}, x)
			x = b.Op("token", Token{0}, b.Position("pos", x))
			return x, b.Linear("head", x, 3)
		},
		"no stride": func(b *Builder) (features, logits *Node) {
			x := b.GlobalAvgPool("pool", b.Conv("conv", b.Input(), Conv{Out: 2, Kernel: Square(1)}))
			return x, b.Linear("head", x, 3)
		},
	} {
		b := NewBuilder("net", Shape{32, 16, 3})
		features, logits := build(b)
		before := features.Inputs[0].Shape
		if b.WithoutLastStride() || features.Inputs[0].Shape != before {
			t.Errorf("%s: what was %v is %v", name, before, features.Inputs[0].Shape)
		}
		if _, err := b.Graph(features, logits); err != nil {
			t.Error(err)
		}
	}
}
