package models

import "github.com/reidbench/reidbench/models/graph"

func init() {
	register(Model{Name: "inception-resnetv2", Row: "Inception-Resnetv2", Aliases: []string{"inception_resnet_v2"},
		Family: CNN, Input: PersonImage, Build: inceptionResNetV2,
		Sources: []Source{
			{Name: "timm", Conventions: Conventions{Input: Centred}},
			{Name: "pretrainedmodels", Modules: Modules{"last_linear": "classif"},
				Conventions: Conventions{Input: Centred}},
			{Name: "torchreid", Modules: Modules{"classifier": "classif"}},
		}})
}

// inceptionResNetV2 is timm's Inception-ResNet v2 (Szegedy et al. 2017, fig. 15).
func inceptionResNetV2(b *graph.Builder, classes int) (features, logits *graph.Node) {
	module := func(name string) inceptionModule { return inceptionModule{b, name, inceptionTFUnit} }

	x := inceptionTFUnit.build(b, "conv2d_1a", b.Input(), valid(32, 3, 2))
	x = inceptionTFUnit.build(b, "conv2d_2a", x, valid(32, 3, 1))
	x = inceptionTFUnit.build(b, "conv2d_2b", x, conv(64, 3, 1))
	x = b.Op("maxpool_3a", halvingPool, x)
	x = inceptionTFUnit.build(b, "conv2d_3b", x, conv(80, 1, 1))
	x = inceptionTFUnit.build(b, "conv2d_4a", x, valid(192, 3, 1))
	x = b.Op("maxpool_5a", halvingPool, x)

	x = inceptionResNetMixed5b(module("mixed_5b"), x)
	for i := range 10 {
		x = inceptionResNet35(module(at("repeat", i)), x)
	}
	x = inceptionResNetMixed6a(module("mixed_6a"), x)
	for i := range 20 {
		x = inceptionResNet17(module(at("repeat_1", i)), x)
	}
	x = inceptionResNetMixed7a(module("mixed_7a"), x)
	for i := range 9 {
		name := at("repeat_2", i)
		x = b.ReLU(name+".relu", inceptionResNet8(module(name), x, 0.2))
	}
	x = inceptionResNet8(module("block8"), x, 1)

	x = inceptionTFUnit.build(b, "conv2d_7b", x, conv(1536, 1, 1))
	features = b.GlobalAvgPool("global_pool.pool", x)
	return features, b.Linear("classif", features, classes)
}

// inceptionResNetMixed5b is the module that ends the stem.
func inceptionResNetMixed5b(m inceptionModule, x *graph.Node) *graph.Node {
	return m.concat(
		m.unit("branch0", x, conv(96, 1, 1)),
		m.chain("branch1", x, conv(48, 1, 1), conv(64, 5, 1)),
		m.chain("branch2", x, conv(64, 1, 1), conv(96, 3, 1), conv(96, 3, 1)),
		m.pooled("branch3", x, 64),
	)
}

// inceptionResNetMixed6a halves the map (fig. 7).
func inceptionResNetMixed6a(m inceptionModule, x *graph.Node) *graph.Node {
	return m.concat(
		m.unit("branch0", x, valid(384, 3, 2)),
		m.chain("branch1", x, conv(256, 1, 1), conv(256, 3, 1), valid(384, 3, 2)),
		m.pool("branch2", x, halvingPool),
	)
}

// inceptionResNetMixed7a halves the map again (fig. 18).
func inceptionResNetMixed7a(m inceptionModule, x *graph.Node) *graph.Node {
	return m.concat(
		m.chain("branch0", x, conv(256, 1, 1), valid(384, 3, 2)),
		m.chain("branch1", x, conv(256, 1, 1), valid(288, 3, 2)),
		m.chain("branch2", x, conv(256, 1, 1), conv(288, 3, 1), valid(320, 3, 2)),
		m.pool("branch3", x, halvingPool),
	)
}

// inceptionResNetSum adds the joined branches to the block's input: through a biased 1×1
// convolution, and scaled down, without which training is unstable (§3.3).
func inceptionResNetSum(m inceptionModule, x *graph.Node, scale float64, branches ...*graph.Node) *graph.Node {
	y := m.concat(branches...)
	y = m.Conv(m.name+".conv2d", y, biased(conv(x.Shape.C, 1, 1)))
	if scale != 1 {
		y = m.Op(m.name+".scale", graph.Scale{Factor: scale}, y)
	}
	return m.Add(m.name+".add", y, x)
}

// inceptionResNet35 is the block at 1/8 of the image's size (fig. 16).
func inceptionResNet35(m inceptionModule, x *graph.Node) *graph.Node {
	x = inceptionResNetSum(m, x, 0.17,
		m.unit("branch0", x, conv(32, 1, 1)),
		m.chain("branch1", x, conv(32, 1, 1), conv(32, 3, 1)),
		m.chain("branch2", x, conv(32, 1, 1), conv(48, 3, 1), conv(64, 3, 1)),
	)
	return m.ReLU(m.name+".relu", x)
}

// inceptionResNet17 is the block at 1/16 (fig. 17).
func inceptionResNet17(m inceptionModule, x *graph.Node) *graph.Node {
	x = inceptionResNetSum(m, x, 0.10,
		m.unit("branch0", x, conv(192, 1, 1)),
		m.chain("branch1", x, conv(128, 1, 1), row(160, 7), column(192, 7)),
	)
	return m.ReLU(m.name+".relu", x)
}

// inceptionResNet8 is the block at 1/32 (fig. 19), without its ReLU: the last one has none.
func inceptionResNet8(m inceptionModule, x *graph.Node, scale float64) *graph.Node {
	return inceptionResNetSum(m, x, scale,
		m.unit("branch0", x, conv(192, 1, 1)),
		m.chain("branch1", x, conv(192, 1, 1), row(224, 3), column(256, 3)),
	)
}
