package models

import (
	"fmt"

	"github.com/reidbench/reidbench/models/graph"
)

// A denseNet is torchvision's DenseNet (Huang et al. 2017, table 1): every layer of a block adds
// growth channels to a map that all later layers of the block read.
type denseNet struct {
	stem, growth int
	layers       [4]int
}

func (d denseNet) build(b *graph.Builder, classes int) (features, logits *graph.Node) {
	x := b.Conv("features.conv0", b.Input(), conv(d.stem, 7, 2))
	x = b.BatchNorm("features.norm0", x)
	x = b.ReLU("features.relu0", x)
	x = b.Op("features.pool0", resNetPool, x)
	for i, layers := range d.layers {
		for j := range layers {
			x = d.layer(b, fmt.Sprintf("features.denseblock%d.denselayer%d", i+1, j+1), x)
		}
		if i < len(d.layers)-1 {
			x = denseTransition(b, fmt.Sprintf("features.transition%d", i+1), x)
		}
	}
	x = b.BatchNorm("features.norm5", x)
	x = b.ReLU("relu", x)
	features = b.GlobalAvgPool("avgpool", x)
	return features, b.Linear("classifier", features, classes)
}

// layer appends one layer and joins what it makes to what it read.
func (d denseNet) layer(b *graph.Builder, name string, x *graph.Node) *graph.Node {
	y := b.BatchNorm(name+".norm1", x)
	y = b.ReLU(name+".relu1", y)
	y = b.Conv(name+".conv1", y, conv(4*d.growth, 1, 1))
	y = b.BatchNorm(name+".norm2", y)
	y = b.ReLU(name+".relu2", y)
	y = b.Conv(name+".conv2", y, conv(d.growth, 3, 1))
	return b.Op(name+".concat", graph.Concat{}, x, y)
}

// denseTransition halves channels, height and width between two blocks.
func denseTransition(b *graph.Builder, name string, x *graph.Node) *graph.Node {
	x = b.BatchNorm(name+".norm", x)
	x = b.ReLU(name+".relu", x)
	x = b.Conv(name+".conv", x, conv(x.Shape.C/2, 1, 1))
	return b.Op(name+".pool", graph.AvgPool{Kernel: graph.Square(2)}, x)
}

func init() {
	add := func(name, row string, d denseNet) {
		register(Model{Name: name, Row: row, Family: CNN, Input: PersonImage, Build: d.build})
	}
	add("densenet169", "DenseNet169", denseNet{64, 32, [4]int{6, 12, 32, 32}})
	add("densenet121", "", denseNet{64, 32, [4]int{6, 12, 24, 16}})
	add("densenet161", "", denseNet{96, 48, [4]int{6, 12, 36, 24}})
	add("densenet201", "", denseNet{64, 32, [4]int{6, 12, 48, 32}})
}
