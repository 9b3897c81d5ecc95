package models

import (
	"strconv"

	"github.com/reidbench/reidbench/models/graph"
)

func init() {
	register(Model{Name: "mobilenetv1", Family: CNN, Input: PersonImage, Build: mobileNetV1,
		Sources: []Source{{Name: "timm", Modules: mobileNetV1Timm(), Conventions: Conventions{Input: Centred}}}})
}

var mobileNetV1Pairs = []struct{ out, stride int }{
	{64, 1}, {128, 2}, {128, 1}, {256, 2}, {256, 1}, {512, 2}, {512, 1},
	{512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1},
}

// mobileNetV1 is MobileNet (Howard et al. 2017, table 1) as one sequence of numbered modules,
// with the ReLU6 that the note describes.
func mobileNetV1(b *graph.Builder, classes int) (features, logits *graph.Node) {
	x, modules := b.Input(), sequence{}
	layer := func(op graph.Conv) {
		x = b.Conv(modules.next(), x, op)
		x = b.BatchNorm(modules.next(), x)
		x = b.Act(modules.next(), x, graph.ReLU6)
	}
	layer(conv(32, 3, 2))
	for _, pair := range mobileNetV1Pairs {
		layer(depthwise(x.Shape.C, 3, pair.stride))
		layer(conv(pair.out, 1, 1))
	}
	features = b.GlobalAvgPool(modules.next(), x)
	return features, b.Linear("classifier", features, classes)
}

// mobileNetV1Timm are timm's modules: each stage is numbered anew, and begins where the stride is 2.
func mobileNetV1Timm() Modules {
	modules := Modules{"conv_stem": "0", "bn1": "1"}
	stage, block := 0, 0
	for i, pair := range mobileNetV1Pairs {
		if pair.stride == 2 {
			stage, block = stage+1, 0
		}
		theirs := at(at("blocks", stage), block)
		for j, child := range []string{"conv_dw", "bn1", "", "conv_pw", "bn2"} {
			if child != "" {
				modules[theirs+"."+child] = strconv.Itoa(3 + 6*i + j)
			}
		}
		block++
	}
	return modules
}
