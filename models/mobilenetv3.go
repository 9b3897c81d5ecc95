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
	width  int   // of the embedding
	stages []int // timm's: their numbers of blocks
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

// sources are timm's own files and those that it has from TensorFlow, under the same names.
func (m mobileNetV3) sources() []Source {
	modules := m.timm()
	return []Source{
		{Name: "torchvision"},
		{Name: "timm", Modules: modules, Files: []string{"mobilenetv3_*"}, Conventions: Conventions{Eps: 1e-5}},
		{Name: "timm-tf", Modules: modules, Files: []string{"tf_*"},
			Conventions: Conventions{SamePadding: true, Input: Centred}},
	}
}

// timm has timm's modules: blocks numbered stage by stage, the last convolution as a stage of its own.
func (m mobileNetV3) timm() Modules {
	last := at("features", len(m.blocks)+1)
	modules := Modules{
		"conv_stem": "features.0.0", "bn1": "features.0.1", "conv_head": "classifier.0", "classifier": "classifier.3",
	}
	modules.add(at("blocks", len(m.stages))+".0", last, "conv", "0", "bn1", "1")
	index, in := 0, 16
	for i, depth := range m.stages {
		for j := range depth {
			block := m.blocks[index]
			index++
			theirs, children := at(at("blocks", i), j), sequence{module: at("features", index) + ".block"}
			list := func(conv, norm string) {
				modules.add(theirs, children.next(), conv, "0", norm, "1")
			}
			norms, project := []string{"bn1", "bn2", "bn3"}, "conv_pwl"
			if block.expanded != in {
				list("conv_pw", norms[0])
				norms = norms[1:]
			} else {
				project = "conv_pw"
			}
			list("conv_dw", norms[0])
			if block.gated {
				modules.add(theirs+".se", children.next(), "conv_reduce", "fc1", "conv_expand", "fc2")
			}
			list(project, norms[1])
			in = block.out
		}
	}
	return modules
}

func init() {
	const re, hs = graph.ReLU, graph.HardSwish
	small := mobileNetV3{width: 1024, stages: []int{1, 2, 3, 2, 3}, blocks: []invertedResidual{
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
	large := mobileNetV3{width: 1280, stages: []int{1, 2, 3, 4, 2, 3}, blocks: []invertedResidual{
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
			Family: CNN, Input: PersonImage, Build: small.build, Sources: small.sources()},
		Model{Name: "mobilenet_v3_large", Family: CNN, Input: PersonImage, Build: large.build,
			Sources: large.sources()},
	)
}
