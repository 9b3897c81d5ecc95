package models

import (
	"fmt"

	"github.com/reidbench/reidbench/models/graph"
)

// A convNeXt is torchvision's ConvNeXt (Liu et al. 2022).
type convNeXt struct {
	widths, depths [4]int
	dropPath       float64 // of the last block, rising linearly from 0
}

// convNeXtEps is the epsilon of ConvNeXt's layer norms, not PyTorch's default.
const convNeXtEps = 1e-6

func (c convNeXt) build(b *graph.Builder, classes int) (features, logits *graph.Node) {
	patches := graph.Conv{Out: c.widths[0], Kernel: graph.Square(4), Stride: graph.Square(4), Bias: true}
	x := b.Conv("features.0.0", b.Input(), patches)
	x = b.LayerNorm("features.0.1", x, convNeXtEps)
	index, last := 0, c.depths[0]+c.depths[1]+c.depths[2]+c.depths[3]-1
	for stage, depth := range c.depths {
		if stage > 0 {
			halve := graph.Conv{Out: c.widths[stage], Kernel: graph.Square(2), Stride: graph.Square(2), Bias: true}
			x = b.LayerNorm(fmt.Sprintf("features.%d.0", 2*stage), x, convNeXtEps)
			x = b.Conv(fmt.Sprintf("features.%d.1", 2*stage), x, halve)
		}
		for i := range depth {
			x = convNeXtBlock(b, fmt.Sprintf("features.%d.%d", 2*stage+1, i), x,
				c.dropPath*float64(index)/float64(last))
			index++
		}
	}
	x = b.GlobalAvgPool("avgpool", x)
	features = b.LayerNorm("classifier.0", x, convNeXtEps)
	return features, b.Linear("classifier.2", features, classes)
}

func convNeXtBlock(b *graph.Builder, name string, x *graph.Node, drop float64) *graph.Node {
	c := x.Shape.C
	y := b.Conv(name+".block.0", x, biased(depthwise(c, 7, 1)))
	y = b.LayerNorm(name+".block.2", y, convNeXtEps)
	y = b.Linear(name+".block.3", y, 4*c)
	y = b.Act(name+".block.4", y, graph.GELU)
	y = b.Linear(name+".block.5", y, c)
	y = b.ChannelScale(name+".layer_scale", y, 1e-6, c, 1, 1)
	y = dropPath(b, name+".stochastic_depth", y, drop)
	return b.Add(name+".add", y, x)
}

// sources are timm and the authors' own code.
func (c convNeXt) sources() []Source {
	timm := Modules{"stem": "features.0", "head.norm": "classifier.0", "head.fc": "classifier.2"}
	authors := Modules{"downsample_layers.0": "features.0", "norm": "classifier.0", "head": "classifier.2"}
	for i, depth := range c.depths {
		if i > 0 {
			timm[at("stages", i)+".downsample"] = at("features", 2*i)
			authors[at("downsample_layers", i)] = at("features", 2*i)
		}
		for j := range depth {
			ours := at(at("features", 2*i+1), j)
			timm.add(at(at("stages", i)+".blocks", j), ours, "conv_dw", "block.0", "norm", "block.2",
				"mlp.fc1", "block.3", "mlp.fc2", "block.5", "gamma", "layer_scale")
			authors.add(at(at("stages", i), j), ours, "dwconv", "block.0", "norm", "block.2",
				"pwconv1", "block.3", "pwconv2", "block.5", "gamma", "layer_scale")
		}
	}
	return []Source{{Name: "timm", Modules: timm}, {Name: "facebookresearch", Modules: authors}}
}

func init() {
	add := func(name, row string, c convNeXt, aliases ...string) {
		register(Model{Name: name, Row: row, Aliases: aliases, Family: CNN, Input: PersonImage, Build: c.build,
			Sources: c.sources()})
	}
	deep := [4]int{3, 3, 27, 3}
	add("convnext-tiny", "ConvNeXt-Tiny", convNeXt{[4]int{96, 192, 384, 768}, [4]int{3, 3, 9, 3}, 0.1}, "convnext_tiny")
	add("convnext_small", "", convNeXt{[4]int{96, 192, 384, 768}, deep, 0.4})
	add("convnext_base", "", convNeXt{[4]int{128, 256, 512, 1024}, deep, 0.5})
	add("convnext_large", "", convNeXt{[4]int{192, 384, 768, 1536}, deep, 0.5})
}
