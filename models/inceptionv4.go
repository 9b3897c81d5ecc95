package models

import "github.com/reidbench/reidbench/models/graph"

func init() {
	register(Model{Name: "inceptionv4", Row: "Inceptionv4", Aliases: []string{"inception_v4"},
		Family: CNN, Input: PersonImage, Build: inceptionV4, Sources: []Source{
			{Name: "torchreid", Modules: inceptionV4Timm(), Head: "classifier", Conventions: Conventions{Eps: 0.001}},
			{Name: "timm", Modules: inceptionV4Timm(), Head: "last_linear",
				Conventions: Conventions{Eps: 0.001, Input: Centred}},
		}})
}

// inceptionV4Timm are timm's modules: the chain of the last modules' longest branch is numbered
// together with its fork.
func inceptionV4Timm() Modules {
	modules := Modules{"last_linear": "classifier"}
	for i := 19; i <= 21; i++ {
		name := at("features", i)
		modules.add(name, name,
			"branch2_0", "branch2_0.0", "branch2_1", "branch2_0.1", "branch2_2", "branch2_0.2",
			"branch2_3a", "branch2_1a", "branch2_3b", "branch2_1b")
	}
	return modules
}

// inceptionV4 is the note's Inception v4 (Szegedy et al. 2017, fig. 9).
func inceptionV4(b *graph.Builder, classes int) (features, logits *graph.Node) {
	modules := sequence{module: "features"}
	x := b.Input()
	for _, op := range []graph.Conv{valid(32, 3, 2), valid(32, 3, 1), conv(64, 3, 1)} {
		x = inceptionUnit.build(b, modules.next(), x, op)
	}
	add := func(module func(m inceptionModule, x *graph.Node) *graph.Node, times int) {
		for range times {
			x = module(inceptionModule{b, modules.next(), inceptionUnit}, x)
		}
	}
	add(inceptionV4Stem1, 1)
	add(inceptionV4Stem2, 1)
	add(inceptionV4Stem3, 1)
	add(inceptionV4A, 4)
	add(inceptionV4ReductionA, 1)
	add(inceptionV4B, 7)
	add(inceptionV4ReductionB, 1)
	add(inceptionV4C, 3)
	features = b.GlobalAvgPool("avgpool", x)
	return features, b.Linear("classifier", features, classes)
}

// inceptionV4Stem1 halves the map by a pool and a convolution side by side.
func inceptionV4Stem1(m inceptionModule, x *graph.Node) *graph.Node {
	return m.concat(m.pool("maxpool", x, halvingPool), m.unit("conv", x, valid(96, 3, 2)))
}

// inceptionV4Stem2 reaches further in one of its two branches.
func inceptionV4Stem2(m inceptionModule, x *graph.Node) *graph.Node {
	return m.concat(
		m.chain("branch0", x, conv(64, 1, 1), valid(96, 3, 1)),
		m.chain("branch1", x, conv(64, 1, 1), row(64, 7), column(64, 7), valid(96, 3, 1)),
	)
}

// inceptionV4Stem3 halves the map once more.
func inceptionV4Stem3(m inceptionModule, x *graph.Node) *graph.Node {
	return m.concat(m.unit("conv", x, valid(192, 3, 2)), m.pool("maxpool", x, halvingPool))
}

// inceptionV4A is the module at 1/8 of the image's size (fig. 4).
func inceptionV4A(m inceptionModule, x *graph.Node) *graph.Node {
	return m.concat(
		m.unit("branch0", x, conv(96, 1, 1)),
		m.chain("branch1", x, conv(64, 1, 1), conv(96, 3, 1)),
		m.chain("branch2", x, conv(64, 1, 1), conv(96, 3, 1), conv(96, 3, 1)),
		m.pooled("branch3", x, 96),
	)
}

// inceptionV4ReductionA halves the map (fig. 7).
func inceptionV4ReductionA(m inceptionModule, x *graph.Node) *graph.Node {
	return m.concat(
		m.unit("branch0", x, valid(384, 3, 2)),
		m.chain("branch1", x, conv(192, 1, 1), conv(224, 3, 1), valid(256, 3, 2)),
		m.pool("branch2", x, halvingPool),
	)
}

// inceptionV4B is the module at 1/16, with factorised 7×7 convolutions (fig. 5).
func inceptionV4B(m inceptionModule, x *graph.Node) *graph.Node {
	return m.concat(
		m.unit("branch0", x, conv(384, 1, 1)),
		m.chain("branch1", x, conv(192, 1, 1), row(224, 7), column(256, 7)),
		m.chain("branch2", x, conv(192, 1, 1), column(192, 7), row(224, 7), column(224, 7), row(256, 7)),
		m.pooled("branch3", x, 128),
	)
}

// inceptionV4ReductionB halves the map (fig. 8).
func inceptionV4ReductionB(m inceptionModule, x *graph.Node) *graph.Node {
	return m.concat(
		m.chain("branch0", x, conv(192, 1, 1), valid(192, 3, 2)),
		m.chain("branch1", x, conv(256, 1, 1), row(256, 7), column(320, 7), valid(320, 3, 2)),
		m.pool("branch2", x, halvingPool),
	)
}

// inceptionV4C is the module at 1/32, with branches that fork (fig. 6).
func inceptionV4C(m inceptionModule, x *graph.Node) *graph.Node {
	one := m.unit("branch1_0", x, conv(384, 1, 1))
	two := m.chain("branch2_0", x, conv(384, 1, 1), column(448, 3), row(512, 3))
	return m.concat(
		m.unit("branch0", x, conv(256, 1, 1)),
		m.unit("branch1_1a", one, row(256, 3)),
		m.unit("branch1_1b", one, column(256, 3)),
		m.unit("branch2_1a", two, row(256, 3)),
		m.unit("branch2_1b", two, column(256, 3)),
		m.pooled("branch3", x, 256),
	)
}
