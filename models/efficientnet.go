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
	stages, blocks := e.stages(), 0
	for _, stage := range stages {
		blocks += stage.depth
	}
	x := b.Conv("_conv_stem", b.Input(), conv(divisible(32*e.width), 3, 2))
	x = b.BatchNorm("_bn0", x)
	x = b.Act("_swish0", x, graph.SiLU)
	index := 0
	for _, stage := range stages {
		block := mbConv{kernel: stage.kernel, stride: stage.stride, out: stage.out, expansion: stage.expansion}
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

type efficientNetStage struct{ kernel, stride, out, depth, expansion int }

// stages are B0's, scaled.
func (e efficientNet) stages() []efficientNetStage {
	stages := []efficientNetStage{
		{3, 1, 16, 1, 1}, {3, 2, 24, 2, 6}, {5, 2, 40, 2, 6}, {3, 2, 80, 3, 6}, {5, 1, 112, 3, 6}, {5, 2, 192, 4, 6},
		{3, 1, 320, 1, 6},
	}
	for i := range stages {
		stages[i].out = divisible(float64(stages[i].out) * e.width)
		stages[i].depth = int(math.Ceil(float64(stages[i].depth) * e.depth))
	}
	return stages
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

// sources: where the note numbers all blocks together, torchvision and timm do so stage by stage.
// The authors of the note's names, lukemelas, call only the classifier otherwise.
func (e efficientNet) sources() []Source {
	torchvision := Modules{
		"features.0.0": "_conv_stem", "features.0.1": "_bn0",
		"features.8.0": "_conv_head", "features.8.1": "_bn1", "classifier.1": "classifier",
	}
	timm := Modules{"conv_stem": "_conv_stem", "bn1": "_bn0", "conv_head": "_conv_head", "bn2": "_bn1"}
	index := 0
	for i, stage := range e.stages() {
		for j := range stage.depth {
			ours := at("_blocks", index)
			theirs := at(at("features", i+1), j) + ".block"
			if stage.expansion == 1 {
				torchvision.add(theirs, ours, "0.0", "_depthwise_conv", "0.1", "_bn1",
					"1.fc1", "_se_reduce", "1.fc2", "_se_expand", "2.0", "_project_conv", "2.1", "_bn2")
				timm.add(at(at("blocks", i), j), ours, "conv_dw", "_depthwise_conv", "bn1", "_bn1",
					"se.conv_reduce", "_se_reduce", "se.conv_expand", "_se_expand", "conv_pw", "_project_conv", "bn2",
					"_bn2")
			} else {
				torchvision.add(theirs, ours, "0.0", "_expand_conv", "0.1", "_bn0", "1.0", "_depthwise_conv", "1.1",
					"_bn1",
					"2.fc1", "_se_reduce", "2.fc2", "_se_expand", "3.0", "_project_conv", "3.1", "_bn2")
				timm.add(at(at("blocks", i), j), ours, "conv_pw", "_expand_conv", "bn1", "_bn0", "conv_dw",
					"_depthwise_conv", "bn2", "_bn1",
					"se.conv_reduce", "_se_reduce", "se.conv_expand", "_se_expand", "conv_pwl", "_project_conv", "bn3",
					"_bn2")
			}
			index++
		}
	}
	eps := 0.0
	if e.width >= 1.6 {
		eps = 0.001 // torchvision's B5 to B7
	}
	return []Source{
		{Name: "torchvision", Modules: torchvision, Conventions: Conventions{Eps: eps}},
		{Name: "timm", Modules: timm, Files: []string{"efficientnet_*"}},
		{Name: "timm-tf", Modules: timm, Files: []string{"tf_*"},
			Conventions: Conventions{Eps: 0.001, SamePadding: true}},
		{Name: "lukemelas", Modules: Modules{"_fc": "classifier"}, Head: "_fc", Conventions: Conventions{Eps: 0.001,
			Differs: "its convolutions pad as TensorFlow's do for images of the size that it was trained on"}},
	}
}

func init() {
	scales := []efficientNet{
		{1.0, 1.0, 0.2}, {1.0, 1.1, 0.2}, {1.1, 1.2, 0.3}, {1.2, 1.4, 0.3},
		{1.4, 1.8, 0.4}, {1.6, 2.2, 0.4}, {1.8, 2.6, 0.5}, {2.0, 3.1, 0.5},
	}
	for i, e := range scales {
		m := Model{Name: fmt.Sprintf("efficientnet_b%d", i), Family: CNN, Input: PersonImage, Build: e.build,
			Sources: e.sources()}
		if i == 4 {
			m.Aliases, m.Name, m.Row = []string{m.Name}, "efficientnet-b4", "Efficientnet-B4"
		}
		register(m)
	}
}
