package models

import "github.com/reidbench/reidbench/models/graph"

// An efficientNetV2 is torchvision's EfficientNetV2 (Tan and Le 2021, table 4).
type efficientNetV2 struct {
	stages  []efficientNetV2Stage
	dropout float64
}

// An efficientNetV2Stage is a number of blocks, fused ones or MBConv.
type efficientNetV2Stage struct {
	fused                         bool
	expansion, stride, out, depth int
}

var (
	efficientNetV2Unit = unit{
		conv: "0", norm: "1", act: "2", stats: graph.BatchNorm{Eps: 0.001, Momentum: 0.1}, f: graph.SiLU,
	}
	efficientNetV2Gate = squeeze{
		pool: "avgpool", reduce: "fc1", expand: "fc2", inner: graph.SiLU, outer: graph.Sigmoid,
	}
)

func (e efficientNetV2) build(b *graph.Builder, classes int) (features, logits *graph.Node) {
	blocks, index := 0, 0
	for _, stage := range e.stages {
		blocks += stage.depth
	}
	modules := sequence{module: "features"}
	x := efficientNetV2Unit.build(b, modules.next(), b.Input(), conv(e.stages[0].out, 3, 2))
	for _, stage := range e.stages {
		children := sequence{module: modules.next()}
		for range stage.depth {
			x = stage.block(b, children.next(), x, 0.2*float64(index)/float64(blocks))
			stage.stride = 1
			index++
		}
	}
	x = efficientNetV2Unit.build(b, modules.next(), x, conv(1280, 1, 1))
	x = b.GlobalAvgPool("avgpool", x)
	features = dropout(b, "classifier.0", x, e.dropout)
	return features, b.Linear("classifier.1", features, classes)
}

func (s efficientNetV2Stage) block(b *graph.Builder, name string, x *graph.Node, drop float64) *graph.Node {
	identity, width, modules := x, s.expansion*x.Shape.C, sequence{module: name + ".block"}
	linear := efficientNetV2Unit.with(graph.Identity)
	switch {
	case s.fused && s.expansion == 1:
		x = efficientNetV2Unit.build(b, modules.next(), x, conv(s.out, 3, s.stride))
	case s.fused:
		x = efficientNetV2Unit.build(b, modules.next(), x, conv(width, 3, s.stride))
		x = linear.build(b, modules.next(), x, conv(s.out, 1, 1))
	default:
		x = efficientNetV2Unit.build(b, modules.next(), x, conv(width, 1, 1))
		x = efficientNetV2Unit.build(b, modules.next(), x, depthwise(width, 3, s.stride))
		x = efficientNetV2Gate.build(b, modules.next(), x, identity.Shape.C/4)
		x = linear.build(b, modules.next(), x, conv(s.out, 1, 1))
	}
	if s.stride == 1 && identity.Shape.C == s.out {
		x = dropPath(b, name+".stochastic_depth", x, drop)
		x = b.Add(name+".add", x, identity)
	}
	return x
}

// sources are what timm has from TensorFlow, which is all that it publishes, and its own network.
func (e efficientNetV2) sources() []Source {
	modules := e.timm()
	return []Source{
		{Name: "torchvision"},
		{Name: "timm-tf", Modules: modules, Files: []string{"tf_*"},
			Conventions: Conventions{SamePadding: true, Input: Centred}},
		{Name: "timm", Modules: modules, Files: []string{"efficientnetv2_*"}, Conventions: Conventions{Eps: 1e-5}},
	}
}

// timm has timm's modules, whose convolutions have names of their own in each kind of block.
func (e efficientNetV2) timm() Modules {
	last := at("features", len(e.stages)+1)
	modules := Modules{"conv_stem": "features.0.0", "bn1": "features.0.1", "conv_head": last + ".0", "bn2": last + ".1",
		"classifier": "classifier.1"}
	for i, stage := range e.stages {
		for j := range stage.depth {
			theirs, ours := at(at("blocks", i), j), at(at("features", i+1), j)+".block"
			switch {
			case stage.fused && stage.expansion == 1:
				modules.add(theirs, ours, "conv", "0.0", "bn1", "0.1")
			case stage.fused:
				modules.add(theirs, ours, "conv_exp", "0.0", "bn1", "0.1", "conv_pwl", "1.0", "bn2", "1.1")
			default:
				modules.add(theirs, ours, "conv_pw", "0.0", "bn1", "0.1", "conv_dw", "1.0", "bn2", "1.1",
					"se.conv_reduce", "2.fc1", "se.conv_expand", "2.fc2", "conv_pwl", "3.0", "bn3", "3.1")
			}
		}
	}
	return modules
}

func init() {
	const fused, mbConv = true, false
	add := func(name, row string, dropout float64, stages []efficientNetV2Stage, aliases ...string) {
		register(Model{Name: name, Row: row, Aliases: aliases, Family: CNN, Input: PersonImage,
			Build: efficientNetV2{stages, dropout}.build, Sources: efficientNetV2{stages, dropout}.sources()})
	}
	add("efficientnetv2-s", "Efficientnetv2-S", 0.2, []efficientNetV2Stage{
		{fused, 1, 1, 24, 2}, {fused, 4, 2, 48, 4}, {fused, 4, 2, 64, 4},
		{mbConv, 4, 2, 128, 6}, {mbConv, 6, 1, 160, 9}, {mbConv, 6, 2, 256, 15},
	}, "efficientnet_v2_s")
	add("efficientnet_v2_m", "", 0.3, []efficientNetV2Stage{
		{fused, 1, 1, 24, 3}, {fused, 4, 2, 48, 5}, {fused, 4, 2, 80, 5},
		{mbConv, 4, 2, 160, 7}, {mbConv, 6, 1, 176, 14}, {mbConv, 6, 2, 304, 18}, {mbConv, 6, 1, 512, 5},
	})
	add("efficientnet_v2_l", "", 0.4, []efficientNetV2Stage{
		{fused, 1, 1, 32, 4}, {fused, 4, 2, 64, 7}, {fused, 4, 2, 96, 7},
		{mbConv, 4, 2, 192, 10}, {mbConv, 6, 1, 224, 19}, {mbConv, 6, 2, 384, 25}, {mbConv, 6, 1, 640, 7},
	})
}
