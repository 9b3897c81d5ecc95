package models

import "github.com/reidbench/reidbench/models/graph"

func init() {
	register(Model{Name: "mobilenetv1", Family: CNN, Input: PersonImage, Build: mobileNetV1})
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
	for _, pair := range []struct{ out, stride int }{
		{64, 1}, {128, 2}, {128, 1}, {256, 2}, {256, 1}, {512, 2}, {512, 1},
		{512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1},
	} {
		layer(depthwise(x.Shape.C, 3, pair.stride))
		layer(conv(pair.out, 1, 1))
	}
	features = b.GlobalAvgPool(modules.next(), x)
	return features, b.Linear("classifier", features, classes)
}
