package models

import (
	"fmt"
	"strings"

	"github.com/reidbench/reidbench/models/graph"
)

// A vit is timm's vision transformer (Dosovitskiy et al. 2021), which DeiT (Touvron et al. 2021)
// only trains in another way: patches as tokens, a class token, pre-norm blocks.
type vit struct{ patch, dim, depth, heads int }

func (v vit) build(b *graph.Builder, classes int) (features, logits *graph.Node) {
	patches := graph.Conv{Out: v.dim, Kernel: graph.Square(v.patch), Stride: graph.Square(v.patch), Bias: true}
	x := b.Conv("patch_embed.proj", b.Input(), patches)
	x = b.Op("patch_embed.flatten", graph.Reshape{To: graph.Shape{H: 1, W: x.Shape.Positions(), C: v.dim}}, x)
	x = b.ClassToken("cls_token", x)
	x = b.Position("pos_embed", x)
	for i := range v.depth {
		x = v.block(b, at("blocks", i), x)
	}
	x = b.LayerNorm("norm", x, vitEps)
	features = b.Op("token", graph.Token{}, x)
	return features, b.Linear("head", features, classes)
}

// vitEps is the epsilon of timm's ViT layer norms, not PyTorch's default.
const vitEps = 1e-6

func (v vit) block(b *graph.Builder, name string, x *graph.Node) *graph.Node {
	y := b.LayerNorm(name+".norm1", x, vitEps)
	y = b.Linear(name+".attn.qkv", y, 3*v.dim)
	y = b.Op(name+".attn", graph.Attention{Heads: v.heads}, y)
	y = b.Linear(name+".attn.proj", y, v.dim)
	x = b.Add(name+".add1", x, y)

	y = b.LayerNorm(name+".norm2", x, vitEps)
	y = mlp(b, name+".mlp", y)
	return b.Add(name+".add2", x, y)
}

// mlp is a transformer's two linear layers with a GELU and four times the width between them.
func mlp(b *graph.Builder, name string, x *graph.Node) *graph.Node {
	width := x.Shape.C
	x = b.Linear(name+".fc1", x, 4*width)
	x = b.Act(name+".act", x, graph.GELU)
	return b.Linear(name+".fc2", x, width)
}

// sources: a DeiT's files have ImageNet's normalisation, and those of timm's ViTs from TensorFlow another. Both have
// the names that the tensors have here, as have the files of a DeiT that learnt by a token of its own (Touvron et
// al. 2021, §4).
func (v vit) sources(deit bool) []Source {
	plain := Source{Name: "deit", Files: []string{"deit_*"}}
	augreg := Source{Name: "timm", Files: []string{"vit_*"}, Conventions: Conventions{Input: Centred}}
	distilled := Source{Name: "deit-distilled", Head: "head_dist",
		Tokens:      2,
		Leaves:      []string{"dist_token", "head_dist.weight", "head_dist.bias"},
		Conventions: Conventions{Differs: "its distillation token takes part in all attention"}}
	torchvision := Source{Name: "torchvision", Modules: v.torchvision()}
	if deit {
		return []Source{plain, augreg, distilled, torchvision}
	}
	return []Source{augreg, plain, distilled, torchvision}
}

// torchvision has torchvision's modules, with what it called the linear layers at first.
func (v vit) torchvision() Modules {
	modules := Modules{
		"conv_proj": "patch_embed.proj", "class_token": "cls_token", "encoder.pos_embedding": "pos_embed",
		"encoder.ln": "norm", "heads.head": "head",
	}
	for i := range v.depth {
		theirs, ours := fmt.Sprintf("encoder.layers.encoder_layer_%d", i), at("blocks", i)
		modules.add(theirs, ours, "ln_1", "norm1", "ln_2", "norm2",
			"self_attention.in_proj_weight", "attn.qkv.weight", "self_attention.in_proj_bias", "attn.qkv.bias",
			"self_attention.out_proj", "attn.proj",
			"mlp.0", "mlp.fc1", "mlp.3", "mlp.fc2", "mlp.linear_1", "mlp.fc1", "mlp.linear_2", "mlp.fc2")
	}
	return modules
}

func init() {
	add := func(m Model, v vit) {
		m.Family, m.Input, m.Build = Transformer, PersonImage, v.build
		m.Sources = v.sources(strings.HasPrefix(m.Name, "deit-"))
		register(m)
	}
	sizes := []struct {
		letter, timm string
		vit
	}{
		{"T", "tiny", vit{16, 192, 12, 3}},
		{"S", "small", vit{16, 384, 12, 6}},
		{"B", "base", vit{16, 768, 12, 12}},
	}
	add(Model{Name: "vit-b16", Row: "ViT-B16(256,128)", Aliases: []string{"vit_base_patch16_224", "vit_b_16"}},
		sizes[2].vit)
	for _, s := range sizes {
		row, name := "DeiT-"+s.letter+"16", "deit-"+strings.ToLower(s.letter)+"16"
		add(Model{Name: name, Row: row + "(256,128)", Aliases: []string{"deit_" + s.timm + "_patch16_224"}}, s.vit)
		// The tables print 129 tokens' costs for these rows too: there is no distillation token,
		// both loss terms act on the one classifier.
		files := []string{"deit_" + s.timm + "_distilled_patch16_224"}
		add(Model{Name: name + "-distiled-hard", Row: row + "-Distiled-Hard(256,128)",
			Aliases: []string{name + "-distilled-hard"}, Files: files, Distill: HardDistillation}, s.vit)
		add(Model{Name: name + "-distiled-soft", Row: row + "-Distiled-Soft(256,128)",
			Aliases: []string{name + "-distilled-soft"}, Files: files, Distill: SoftDistillation}, s.vit)
	}
	for _, s := range []struct {
		timm string
		vit
		torchvision []string
	}{
		{"tiny_patch16", sizes[0].vit, nil},
		{"small_patch16", sizes[1].vit, nil},
		{"small_patch32", vit{32, 384, 12, 6}, nil},
		{"base_patch32", vit{32, 768, 12, 12}, []string{"vit_b_32"}},
		{"large_patch16", vit{16, 1024, 24, 16}, []string{"vit_l_16"}},
		{"large_patch32", vit{32, 1024, 24, 16}, []string{"vit_l_32"}},
	} {
		add(Model{Name: fmt.Sprintf("vit_%s_224", s.timm), Aliases: s.torchvision}, s.vit)
	}
}
