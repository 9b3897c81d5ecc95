package models

import "github.com/reidbench/reidbench/models/graph"

// A tnt is timm's Transformer in Transformer (Han et al. 2021, table 1): an inner transformer over
// the 4×4 pixels of each patch feeds an outer one over the patches.
type tnt struct{ inner, innerHeads, outer, outerHeads, depth int }

// tntEps is PyTorch's default epsilon of layer norms.
const tntEps = 1e-5

func (t tnt) build(b *graph.Builder, classes int) (features, logits *graph.Node) {
	window := graph.Square(4)
	stem := graph.Conv{Out: t.inner, Kernel: graph.Square(7), Stride: graph.Square(4), Pad: graph.Square(3), Bias: true}
	pixels := b.Conv("pixel_embed.proj", b.Input(), stem)
	pixels = b.Op("pixel_embed.unfold", graph.Windows{Size: window}, pixels)
	pixels = b.PixelPosition("pixel_pos", pixels, window)

	x := b.LayerNorm("norm1_proj", tntPatches(b, "pixel_embed.patches", pixels), tntEps)
	x = b.Linear("proj", x, t.outer)
	x = b.LayerNorm("norm2_proj", x, tntEps)
	x = b.ClassToken("cls_token", x)
	x = b.Position("patch_pos", x)
	for i := range t.depth {
		pixels, x = t.block(b, at("blocks", i), pixels, x)
	}
	x = b.LayerNorm("norm", x, tntEps)
	features = b.Op("token", graph.Token{}, x)
	return features, b.Linear("head", features, classes)
}

// tntPatches makes one token of each patch's pixels.
func tntPatches(b *graph.Builder, name string, pixels *graph.Node) *graph.Node {
	s := pixels.Shape
	return b.Op(name, graph.Reshape{To: graph.Shape{H: 1, W: s.H, C: s.W * s.C}}, pixels)
}

func (t tnt) block(b *graph.Builder, name string, pixels, x *graph.Node) (*graph.Node, *graph.Node) {
	pixels = tntAttention(b, name+".attn_in", name+".norm_in", pixels, t.innerHeads)
	pixels = tntMLP(b, name+".mlp_in", name+".norm_mlp_in", pixels)

	// The class token has no pixels: it gains nothing here.
	y := b.LayerNorm(name+".norm1_proj", pixels, tntEps)
	y = b.Linear(name+".proj", tntPatches(b, name+".patches", y), t.outer)
	y = b.Op(name+".pad", graph.PadToken{}, y)
	x = b.Add(name+".add", x, y)

	x = tntAttention(b, name+".attn_out", name+".norm_out", x, t.outerHeads)
	return pixels, tntMLP(b, name+".mlp", name+".norm_mlp", x)
}

// tntAttention adds attention, with q and k in one projection and v in another, none biased.
func tntAttention(b *graph.Builder, name, norm string, x *graph.Node, heads int) *graph.Node {
	c := x.Shape.C
	y := b.LayerNorm(norm, x, tntEps)
	qk := b.LinearOp(name+".qk", y, graph.Linear{Out: 2 * c})
	v := b.LinearOp(name+".v", y, graph.Linear{Out: c})
	y = b.Op(name, graph.Attention{Heads: heads}, qk, v)
	y = b.Linear(name+".proj", y, c)
	return b.Add(name+".add", x, y)
}

func tntMLP(b *graph.Builder, name, norm string, x *graph.Node) *graph.Node {
	y := b.LayerNorm(norm, x, tntEps)
	return b.Add(name+".add", x, mlp(b, name, y))
}

func init() {
	add := func(name, row string, t tnt, aliases ...string) {
		register(Model{Name: name, Row: row, Aliases: aliases, Family: Transformer, Input: PersonImage, Build: t.build,
			Sources: []Source{{Name: "timm", Files: []string{"tnt_*"}, Conventions: Conventions{Input: Centred}}}})
	}
	add("tnt-s", "TNT-S(256,128)", tnt{24, 4, 384, 6, 12}, "tnt_s_patch16_224")
	add("tnt_b_patch16_224", "", tnt{40, 4, 640, 10, 12})
}
