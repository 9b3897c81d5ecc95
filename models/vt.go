package models

import (
	"fmt"

	"github.com/reidbench/reidbench/models/graph"
)

// A vt is a ResNet-50 up to its third stage and then visual transformer blocks (Wu et al. 2020,
// "Visual Transformers: Token-based Image Representation and Processing for Computer Vision").
// No code of the table's rows is public. This reading meets the printed params of 1F1R to the
// digit and those of 1F2R within 0.1 %; no reading at 256×128 costs the printed MACs.
type vt struct{ recurrent int } // blocks after the first, filter-based one

// vtTokens is the number of visual tokens.
const vtTokens = 16

func (v vt) build(b *graph.Builder, classes int) (features, logits *graph.Node) {
	trunk := resNet{groups: 1, width: 64}
	x := numbered.build(b, "trunk", b.Input(), conv(64, 7, 2))
	x = b.Op("trunk.3", resNetPool, x)
	for stage, depth := range []int{3, 4, 6} {
		x = trunk.stage(b, at("trunk", stage+4), x, stage, depth)
	}
	s := x.Shape
	x = b.Op("pixels", graph.Reshape{To: graph.Shape{H: 1, W: s.Positions(), C: s.C}}, x)

	block := vtBlock{b, "blocks.0"}
	tokens := block.transform(block.filterTokens(x))
	for i := range v.recurrent {
		x = block.project(x, tokens)
		block = vtBlock{b, at("blocks", i+1)}
		tokens = block.transform(block.recurrentTokens(x, tokens))
	}
	// The last block has no projector: the embedding is the mean token.
	features = b.Op("mean", graph.AdaptiveAvgPool{Out: graph.Square(1), Functional: true}, tokens)
	return features, b.Linear("classifier", features, classes)
}

// A vtBlock appends the parts of one block, whose linear layers have no biases.
type vtBlock struct {
	*graph.Builder
	name string
}

func (v vtBlock) linear(name string, x *graph.Node, out int) *graph.Node {
	return v.LinearOp(v.name+"."+name, x, graph.Linear{Out: out})
}

func (v vtBlock) op(name string, op graph.Op, inputs ...*graph.Node) *graph.Node {
	return v.Op(v.name+"."+name, op, inputs...)
}

// filterTokens is the first tokenizer (§3.1.1): a learned filter per token says how much it
// takes of each pixel, T = softmax over pixels(X·W_A)ᵀ · X·W_V.
func (v vtBlock) filterTokens(x *graph.Node) *graph.Node {
	share := v.op("tokenizer.softmax", graph.Softmax{OverTokens: true}, v.linear("wa", x, vtTokens))
	return v.op("tokenizer", graph.MatMul{TransposeA: true}, share, v.linear("wv", x, x.Shape.C))
}

// recurrentTokens is the later tokenizers (§3.1.2): the tokens of the block before make the
// filters, T = softmax over pixels(T_in·W_TR · Xᵀ) · X·W_V.
func (v vtBlock) recurrentTokens(x, tokens *graph.Node) *graph.Node {
	share := v.op("tokenizer.filter", graph.MatMul{TransposeB: true}, v.linear("wa", tokens, x.Shape.C), x)
	share = v.op("tokenizer.softmax", graph.Softmax{}, share)
	return v.op("tokenizer", graph.MatMul{}, share, v.linear("wv", x, x.Shape.C))
}

// transform lets the tokens see each other (§3.2): T' = T + softmax(T·K · (T·Q)ᵀ) · T and
// T_out = T' + ReLU(T'·F_1) · F_2.
func (v vtBlock) transform(tokens *graph.Node) *graph.Node {
	c := tokens.Shape.C
	share := v.op("attention.scores", graph.MatMul{TransposeB: true}, v.linear("k", tokens, c),
		v.linear("q", tokens, c))
	share = v.op("attention.softmax", graph.Softmax{}, share)
	seen := v.op("attention", graph.MatMul{}, share, tokens)
	tokens = v.op("attention.add", graph.Add{}, tokens, seen)

	hidden := v.ReLU(v.name+".relu", v.linear("f1", tokens, c))
	return v.op("add", graph.Add{}, tokens, v.linear("f2", hidden, c))
}

// project gives each pixel what it asks of the tokens (§3.3):
// X_out = X + softmax over tokens(X·W_Q · (T·W_K)ᵀ) · T·W_V.
func (v vtBlock) project(x, tokens *graph.Node) *graph.Node {
	c := x.Shape.C
	share := v.op("projector.scores", graph.MatMul{TransposeB: true}, v.linear("pq", x, c), v.linear("pk", tokens, c))
	share = v.op("projector.softmax", graph.Softmax{}, share)
	given := v.op("projector", graph.MatMul{}, share, v.linear("pv", tokens, c))
	return v.op("projector.add", graph.Add{}, x, given)
}

func init() {
	for recurrent := 1; recurrent <= 2; recurrent++ {
		register(Model{
			Name:   fmt.Sprintf("vt-resnet50-1f%dr", recurrent),
			Row:    fmt.Sprintf("VT-ResNet50-1F%dR(256,128)", recurrent),
			Family: Transformer, Input: PersonImage, Build: vt{recurrent}.build,
		})
	}
}
