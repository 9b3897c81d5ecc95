package graph

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tiny is a network with a layer of every kind that owns parameters.
func tiny(b *Builder) (features, logits *Node) {
	x := b.Conv("conv", b.Input(), Conv{Out: 4, Kernel: Square(2), Stride: Square(2), Groups: 2, Bias: true})
	x = b.BatchNorm("bn", x)
	x = b.Op("windows", Windows{Square(2)}, x)
	x = b.PixelPosition("pixel_pos", x, Square(2))
	x = b.Op("tokens", Reshape{Shape{1, 16, 4}}, x)
	x = b.ClassToken("cls", x)
	x = b.Position("pos", x)
	x = b.LayerNorm("norm", x, 1e-6)
	x = b.ChannelScale("gamma", x, 0.5, 4, 1, 1)
	x = b.LinearOp("mix", x, Linear{Out: 6})
	features = b.Op("token", Token{}, x)
	return features, b.Linear("head", features, 3)
}

func TestBuilderNamesParameters(t *testing.T) {
	b := NewBuilder("tiny", Shape{8, 8, 2})
	g, err := b.Graph(tiny(b))
	if err != nil {
		t.Fatal(err)
	}
	type param struct {
		Name  string
		Shape []int
		Role  Role
		Owner string
		Init  Init
	}
	list := func(params []*Param) (out []param) {
		for _, p := range params {
			out = append(out, param{p.Name, p.Shape, p.Role, p.Owner.Name, p.Init})
		}
		return out
	}
	want := []param{
		{"conv.weight", []int{4, 1, 2, 2}, Weight, "conv", Init{Kind: KaimingNormal}},
		{"conv.bias", []int{4}, Bias, "conv", Init{}},
		{"bn.weight", []int{4}, NormWeight, "bn", Init{Value: 1}},
		{"bn.bias", []int{4}, NormBias, "bn", Init{}},
		{"pixel_pos", []int{1, 4, 2, 2}, Embedding, "pixel_pos", Init{Kind: TruncatedNormal, Value: 0.02}},
		{"cls", []int{1, 1, 4}, Embedding, "cls", Init{Kind: TruncatedNormal, Value: 0.02}},
		{"pos", []int{1, 17, 4}, Embedding, "pos", Init{Kind: TruncatedNormal, Value: 0.02}},
		{"norm.weight", []int{4}, NormWeight, "norm", Init{Value: 1}},
		{"norm.bias", []int{4}, NormBias, "norm", Init{}},
		{"gamma", []int{4, 1, 1}, Embedding, "gamma", Init{Value: 0.5}},
		{"mix.weight", []int{6, 4}, Weight, "mix", Init{Kind: FanInUniform}},
		{"head.weight", []int{3, 6}, Weight, "head", Init{Kind: FanInUniform}},
		{"head.bias", []int{3}, Bias, "head", Init{}},
	}
	if diff := cmp.Diff(want, list(g.Params)); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
	wantBuffers := []param{
		{"bn.running_mean", []int{4}, RunningMean, "bn", Init{}},
		{"bn.running_var", []int{4}, RunningVar, "bn", Init{Value: 1}},
	}
	if diff := cmp.Diff(wantBuffers, list(g.Buffers)); diff != "" {
		t.Errorf("buffers (-want +got):\n%s", diff)
	}
	if g.Classifier != g.Logits || g.Logits.Name != "head" || g.Features.Name != "token" {
		t.Errorf("classifier %s, logits %s, features %s", g.Classifier.Name, g.Logits.Name, g.Features.Name)
	}
}

func TestSharedModulesHaveOneOwner(t *testing.T) {
	b := NewBuilder("shared", Shape{1, 1, 4})
	x := b.Input()
	for range 3 {
		x = b.Shared(func() *Node { return b.ReLU("relu", b.Linear("fc", x, 4)) })
	}
	g, err := b.Graph(x, b.Linear("head", x, 2))
	if err != nil {
		t.Fatal(err)
	}
	var names, owners []string
	for _, n := range g.Nodes {
		names = append(names, n.Name)
		if n.Owns() {
			owners = append(owners, n.Name)
		}
	}
	want := []string{"input", "fc", "relu", "fc#2", "relu#2", "fc#3", "relu#3", "head"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"fc", "head"}, owners); diff != "" {
		t.Errorf("owners (-want +got):\n%s", diff)
	}
	if len(g.Params) != 4 {
		t.Errorf("%d parameters, want the weight and bias of fc and head", len(g.Params))
	}
	if first, last := g.Nodes[1], g.Nodes[5]; last.Module != "fc" || last.Params[0] != first.Params[0] ||
		last.Params[1] != first.Params[1] {
		t.Errorf("%s of module %s does not use the parameters of %s", last.Name, last.Module, first.Name)
	}
}

func TestBuilderRefusesMistakes(t *testing.T) {
	tests := map[string]struct {
		build func(b *Builder, x *Node) *Node
		want  string
	}{
		"a taken name": {func(b *Builder, x *Node) *Node {
			return b.Linear("fc", b.Linear("fc", x, 4), 4)
		}, `layer "fc": the name is taken`},
		"a taken parameter name": {func(b *Builder, x *Node) *Node {
			return b.Position("fc.weight", b.Linear("fc", x, 4))
		}, "two parameters are called fc.weight"},
		"shared as another operation": {func(b *Builder, x *Node) *Node {
			b.Act("act", x, ReLU)
			return b.Shared(func() *Node { return b.Act("act", x, GELU) })
		}, "shared as GELU, but it is ReLU"},
		"shared at another width": {func(b *Builder, x *Node) *Node {
			x = b.Linear("fc", x, 6)
			return b.Shared(func() *Node { return b.Linear("fc", x, 6) })
		}, "shared parameter fc.weight is [6 4], not [6 6]"},
		"shapes that do not fit": {func(b *Builder, x *Node) *Node {
			return b.Add("add", x, b.Linear("fc", x, 5))
		}, `layer "add": Add: shapes differ`},
		"parameters by Op": {func(b *Builder, x *Node) *Node {
			return b.Op("bn", BatchNorm{}, x)
		}, "BatchNorm has a method of its own"},
		"a window of another size": {func(b *Builder, x *Node) *Node {
			return b.PixelPosition("pos", x, Square(2))
		}, "1 tokens are not the pixels of a 2 window"},
		"only the first mistake": {func(b *Builder, x *Node) *Node {
			x = b.Op("slice", Slice{3, 9}, x)
			return b.Op("token", Token{7}, b.BatchNorm("bn", b.Conv("conv", x, Conv{Out: 2, Groups: 7})))
		}, `layer "slice"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := NewBuilder("net", Shape{1, 1, 4})
			x := test.build(b, b.Input())
			_, err := b.Graph(x, b.Linear("head", x, 2))
			if err == nil || !strings.Contains(err.Error(), "building net: ") ||
				!strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestGraphNeedsALinearClassifier(t *testing.T) {
	b := NewBuilder("net", Shape{2, 2, 4})
	pixels := b.Linear("pixels", b.Input(), 3)
	vector := b.GlobalAvgPool("pool", pixels)
	head := b.Linear("head", vector, 2)
	for name, nodes := range map[string][2]*Node{
		"logits of a pool":      {vector, vector},
		"logits of pixels":      {vector, pixels},
		"features of pixels":    {pixels, head},
		"features of the input": {b.Input(), head},
	} {
		if _, err := b.Graph(nodes[0], nodes[1]); err == nil {
			t.Errorf("%s were accepted", name)
		}
	}
	if _, err := b.Graph(vector, head); err != nil {
		t.Error(err)
	}
}
