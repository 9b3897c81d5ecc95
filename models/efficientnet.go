package models

import (
	"fmt"
	"math"

	"github.com/reidbench/reidbench/models/graph"
)

// An efficientNet is the note's EfficientNet (Tan and Le 2019, table 1), B0 scaled in width and depth.
type efficientNet struct{ width, depth, dropout float64 }

var efficientNetGate = squeeze{
	pool: "avg_pool", reduce: "_se_reduce", expand: "_se_expand", inner: graph.SiLU, outer: graph.Sigmoid,
}

func (e efficientNet) build(b *graph.Builder, classes int) (features, logits *graph.Node) {
	stages := []struct{ kernel, stride, out, depth, expansion int }{
		{3, 1, 16, 1, 1}, {3, 2, 24, 2, 6}, {5, 2, 40, 2, 6}, {3, 2, 80, 3, 6}, {5, 1, 112, 3, 6}, {5, 2, 192, 4, 6}, {3, 1, 320, 1, 6},
	}
	blocks := 0
	for i := range stages {
		stages[i].depth = int(math.Ceil(float64(stages[i].depth) * e.depth))
		blocks += stages[i].depth
	}
	x := b.Conv("_conv_stem", b.Input(), conv(divisible(32*e.width), 3, 2))
	x = b.BatchNorm("_bn0", x)
	x = b.Act("_swish0", x, graph.SiLU)
	index := 0
	for _, stage := range stages {
		block := mbConv{
			kernel: stage.kernel, stride: stage.stride, out: divisible(float64(stage.out) * e.width), expansion: stage.expansion,
		}
		for range stage.depth {
			block.dropout = 0.2 * float64(index) / float64(blocks)
			x = block.build(b, at("_blocks", index), x)
			block.stride = 1
			index++
		}
	}
	x = b.Conv("_conv_head", x, conv(divisible(1280*e.width), 1, 1))
	x = b.BatchNorm("_bn1", x)
	x = b.Act("_swish1", x, graph.SiLU)
	x = b.GlobalAvgPool("_avg_pooling", x)
	features = dropout(b, "_dropout", x, e.dropout)
	return features, b.Linear("classifier", features, classes)
}

// An mbConv is the note's MBConvBlock.
type mbConv struct {
	kernel, stride, out, expansion int
	dropout                        float64
}

func (m mbConv) build(b *graph.Builder, name string, x *graph.Node) *graph.Node {
	identity, width := x, m.expansion*x.Shape.C
	if m.expansion != 1 {
		x = b.Conv(name+"._expand_conv", x, conv(width, 1, 1))
		x = b.BatchNorm(name+"._bn0", x)
		x = b.Act(name+"._swish0", x, graph.SiLU)
	}
	filter := depthwise(width, m.kernel, m.stride)
	// The note pads ⌈(kernel − stride)/2⌉ on all four sides, where TensorFlow's "same" padding
	// would put the odd pixel of a strided convolution below and to the right.
	filter.Pad = graph.Square((m.kernel - m.stride + 1) / 2)
	x = b.Conv(name+"._depthwise_conv", x, filter)
	x = b.BatchNorm(name+"._bn1", x)
	x = b.Act(name+"._swish1", x, graph.SiLU)
	x = efficientNetGate.build(b, name, x, identity.Shape.C/4)
	x = b.Conv(name+"._project_conv", x, conv(m.out, 1, 1))
	x = b.BatchNorm(name+"._bn2", x)
	if m.stride == 1 && identity.Shape.C == m.out {
		// The note drops single elements here, where the paper drops whole samples.
		x = dropout(b, name+".dropout", x, m.dropout)
		x = b.Add(name+".add", x, identity)
	}
	return x
}

func init() {
	scales := []efficientNet{
		{1.0, 1.0, 0.2}, {1.0, 1.1, 0.2}, {1.1, 1.2, 0.3}, {1.2, 1.4, 0.3},
		{1.4, 1.8, 0.4}, {1.6, 2.2, 0.4}, {1.8, 2.6, 0.5}, {2.0, 3.1, 0.5},
	}
	for i, e := range scales {
		m := Model{Name: fmt.Sprintf("efficientnet_b%d", i), Family: CNN, Input: PersonImage, Build: e.build}
		if i == 4 {
			m.Aliases, m.Name, m.Row = []string{m.Name}, "efficientnet-b4", "Efficientnet-B4"
		}
		register(m)
	}
}
