package models

import "github.com/reidbench/reidbench/models/graph"

// An invertedResidual is a block of MobileNetV3 (Howard et al. 2019, fig. 4): a 1×1 convolution
// widens, a depthwise one filters, a gate weighs and a 1×1 convolution narrows.
type invertedResidual struct {
	kernel, expanded, out int
	gated                 bool
	f                     graph.Activation
	stride                int
}

var (
	mobileNetV3Unit = unit{
		conv: "0", norm: "1", act: "2", stats: graph.BatchNorm{Eps: 0.001, Momentum: 0.01}, f: graph.HardSwish,
	}
	mobileNetV3Gate = squeeze{
		pool: "avgpool", reduce: "fc1", expand: "fc2", inner: graph.ReLU, outer: graph.HardSigmoid,
	}
)

func (r invertedResidual) build(b *graph.Builder, name string, x *graph.Node) *graph.Node {
	identity, act, modules := x, mobileNetV3Unit.with(r.f), sequence{module: name + ".block"}
	if r.expanded != x.Shape.C {
		x = act.build(b, modules.next(), x, conv(r.expanded, 1, 1))
	}
	x = act.build(b, modules.next(), x, depthwise(r.expanded, r.kernel, r.stride))
	if r.gated {
		x = mobileNetV3Gate.build(b, modules.next(), x, divisible(float64(r.expanded)/4))
	}
	x = act.with(graph.Identity).build(b, modules.next(), x, conv(r.out, 1, 1))
	if r.stride == 1 && identity.Shape.C == r.out {
		x = b.Add(name+".add", x, identity)
	}
	return x
}

// A mobileNetV3 is torchvision's MobileNetV3.
type mobileNetV3 struct {
	blocks []invertedResidual
	width  int // of the embedding
}

func (m mobileNetV3) build(b *graph.Builder, classes int) (features, logits *graph.Node) {
	x := mobileNetV3Unit.build(b, "features.0", b.Input(), conv(16, 3, 2))
	for i, block := range m.blocks {
		x = block.build(b, at("features", i+1), x)
	}
	x = mobileNetV3Unit.build(b, at("features", len(m.blocks)+1), x, conv(6*x.Shape.C, 1, 1))
	x = b.GlobalAvgPool("avgpool", x)
	x = b.Linear("classifier.0", x, m.width)
	x = b.Act("classifier.1", x, graph.HardSwish)
	features = dropout(b, "classifier.2", x, 0.2)
	return features, b.Linear("classifier.3", features, classes)
}

func init() {
	const re, hs = graph.ReLU, graph.HardSwish
	small := mobileNetV3{width: 1024, blocks: []invertedResidual{
		{3, 16, 16, true, re, 2},
		{3, 72, 24, false, re, 2},
		{3, 88, 24, false, re, 1},
		{5, 96, 40, true, hs, 2},
		{5, 240, 40, true, hs, 1},
		{5, 240, 40, true, hs, 1},
		{5, 120, 48, true, hs, 1},
		{5, 144, 48, true, hs, 1},
		{5, 288, 96, true, hs, 2},
		{5, 576, 96, true, hs, 1},
		{5, 576, 96, true, hs, 1},
	}}
	large := mobileNetV3{width: 1280, blocks: []invertedResidual{
		{3, 16, 16, false, re, 1},
		{3, 64, 24, false, re, 2},
		{3, 72, 24, false, re, 1},
		{5, 72, 40, true, re, 2},
		{5, 120, 40, true, re, 1},
		{5, 120, 40, true, re, 1},
		{3, 240, 80, false, hs, 2},
		{3, 200, 80, false, hs, 1},
		{3, 184, 80, false, hs, 1},
		{3, 184, 80, false, hs, 1},
		{3, 480, 112, true, hs, 1},
		{3, 672, 112, true, hs, 1},
		{5, 672, 160, true, hs, 2},
		{5, 960, 160, true, hs, 1},
		{5, 960, 160, true, hs, 1},
	}}
	register(
		Model{Name: "mobilenetv3-small", Row: "Mobilenetv3-small", Aliases: []string{"mobilenet_v3_small"},
			Family: CNN, Input: PersonImage, Build: small.build},
		Model{Name: "mobilenet_v3_large", Family: CNN, Input: PersonImage, Build: large.build},
	)
}
