package models

import "github.com/reidbench/reidbench/models/graph"

func init() {
	register(Model{
		Name: "mobilenetv2-100", Row: "Mobilenetv2-100",
		Aliases: []string{"mobilenet_v2", "mobilenetv2_100", "mobilenetv2_x1_0", "mobilenetv2_1.0"},
		Family:  CNN, Input: PersonImage, Build: mobileNetV2,
		Sources: []Source{{Name: "timm", Modules: mobileNetV2Timm()}},
	})
}

var mobileNetV2Stages = []struct{ expansion, out, depth, stride int }{
	{1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1},
}

// mobileNetV2 is torchvision's MobileNetV2 (Sandler et al. 2018, table 2).
func mobileNetV2(b *graph.Builder, classes int) (features, logits *graph.Node) {
	relu6, modules := numbered.with(graph.ReLU6), sequence{module: "features"}
	x := relu6.build(b, modules.next(), b.Input(), conv(32, 3, 2))
	for _, stage := range mobileNetV2Stages {
		for i := range stage.depth {
			stride := 1
			if i == 0 {
				stride = stage.stride
			}
			x = mobileNetV2Block(b, modules.next()+".conv", x, stage.expansion, stage.out, stride)
		}
	}
	x = relu6.build(b, modules.next(), x, conv(1280, 1, 1))
	x = b.GlobalAvgPool("avgpool", x)
	features = dropout(b, "classifier.0", x, 0.2)
	return features, b.Linear("classifier.1", features, classes)
}

// mobileNetV2Block is the inverted residual: a 1×1 convolution widens, a depthwise one filters and
// a 1×1 convolution without an activation narrows.
func mobileNetV2Block(b *graph.Builder, name string, x *graph.Node, expansion, out, stride int) *graph.Node {
	relu6, identity, modules := numbered.with(graph.ReLU6), x, sequence{module: name}
	width := expansion * x.Shape.C
	if expansion != 1 {
		x = relu6.build(b, modules.next(), x, conv(width, 1, 1))
	}
	x = relu6.build(b, modules.next(), x, depthwise(width, 3, stride))
	x = b.Conv(modules.next(), x, conv(out, 1, 1))
	x = b.BatchNorm(modules.next(), x)
	if stride == 1 && identity.Shape.C == out {
		x = b.Add(name+".add", x, identity)
	}
	return x
}

// mobileNetV2Timm are timm's modules, whose blocks are numbered stage by stage.
func mobileNetV2Timm() Modules {
	modules := Modules{
		"conv_stem": "features.0.0", "bn1": "features.0.1",
		"conv_head": "features.18.0", "bn2": "features.18.1", "classifier": "classifier.1",
	}
	index := 1
	for i, stage := range mobileNetV2Stages {
		for j := range stage.depth {
			theirs, ours := at(at("blocks", i), j), at("features", index)+".conv"
			if stage.expansion == 1 {
				modules.add(theirs, ours, "conv_dw", "0.0", "bn1", "0.1", "conv_pw", "1", "bn2", "2")
			} else {
				modules.add(theirs, ours, "conv_pw", "0.0", "bn1", "0.1", "conv_dw", "1.0", "bn2", "1.1", "conv_pwl",
					"2", "bn3", "3")
			}
			index++
		}
	}
	return modules
}
