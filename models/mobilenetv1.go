package models

import (
	"strconv"

	"github.com/reidbench/reidbench/models/graph"
)

func init() {
	register(Model{Name: "mobilenetv1", Family: CNN, Input: PersonImage, Build: mobileNetV1})
}

// mobileNetV1 is MobileNet (Howard et al. 2017, table 1) as one sequence of numbered modules,
// with the ReLU6 that the note describes.
func mobileNetV1(b *graph.Builder, classes int) (features, logits *graph.Node) {
	x, module := b.Input(), 0
	next := func() string {
		module++
		return strconv.Itoa(module - 1)
	}
	layer := func(op graph.Conv) {
		x = b.Conv(next(), x, op)
		x = b.BatchNorm(next(), x)
		x = b.Act(next(), x, graph.ReLU6)
	}
	layer(conv(32, 3, 2))
	for _, pair := range []struct{ out, stride int }{
		{64, 1}, {128, 2}, {128, 1}, {256, 2}, {256, 1}, {512, 2}, {512, 1},
		{512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1},
	} {
		layer(depthwise(x.Shape.C, 3, pair.stride))
		layer(conv(pair.out, 1, 1))
	}
	features = b.GlobalAvgPool(next(), x)
	return features, b.Linear("classifier", features, classes)
}
