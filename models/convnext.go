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
			x = convNeXtBlock(b, fmt.Sprintf("features.%d.%d", 2*stage+1, i), x, c.dropPath*float64(index)/float64(last))
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

func init() {
	add := func(name, row string, c convNeXt, aliases ...string) {
		register(Model{Name: name, Row: row, Aliases: aliases, Family: CNN, Input: PersonImage, Build: c.build})
	}
	deep := [4]int{3, 3, 27, 3}
	add("convnext-tiny", "ConvNeXt-Tiny", convNeXt{[4]int{96, 192, 384, 768}, [4]int{3, 3, 9, 3}, 0.1}, "convnext_tiny")
	add("convnext_small", "", convNeXt{[4]int{96, 192, 384, 768}, deep, 0.4})
	add("convnext_base", "", convNeXt{[4]int{128, 256, 512, 1024}, deep, 0.5})
	add("convnext_large", "", convNeXt{[4]int{192, 384, 768, 1536}, deep, 0.5})
}
