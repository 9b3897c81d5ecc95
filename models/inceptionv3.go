package models

import "github.com/reidbench/reidbench/models/graph"

func init() {
	register(Model{Name: "inceptionv3", Row: "Inceptionv3", Aliases: []string{"inception_v3"},
		Family: CNN, Input: PersonImage, Build: inceptionV3, Sources: []Source{
			// torchvision's and all of timm's but one are TensorFlow's weights: torchvision's network takes
			// ImageNet's normalisation back by itself (transform_input), which its files do not say.
			{Name: "torchvision", Files: []string{"inception_v3_google-*", "inception_v3.t*"},
				Conventions: Conventions{Input: Centred}},
			{Name: "gluon", Files: []string{"gluon_inception_v3*", "inception_v3.gluon*"}},
		}})
}

// inceptionV3 is torchvision's Inception v3 (Szegedy et al. 2016, table 1) without its auxiliary head.
func inceptionV3(b *graph.Builder, classes int) (features, logits *graph.Node) {
	x := inceptionTFUnit.build(b, "Conv2d_1a_3x3", b.Input(), valid(32, 3, 2))
	x = inceptionTFUnit.build(b, "Conv2d_2a_3x3", x, valid(32, 3, 1))
	x = inceptionTFUnit.build(b, "Conv2d_2b_3x3", x, conv(64, 3, 1))
	x = b.Op("maxpool1", halvingPool, x)
	x = inceptionTFUnit.build(b, "Conv2d_3b_1x1", x, conv(80, 1, 1))
	x = inceptionTFUnit.build(b, "Conv2d_4a_3x3", x, valid(192, 3, 1))
	x = b.Op("maxpool2", halvingPool, x)

	module := func(name string) inceptionModule { return inceptionModule{b, name, inceptionTFUnit} }
	x = inceptionV3A(module("Mixed_5b"), x, 32)
	x = inceptionV3A(module("Mixed_5c"), x, 64)
	x = inceptionV3A(module("Mixed_5d"), x, 64)
	x = inceptionV3B(module("Mixed_6a"), x)
	x = inceptionV3C(module("Mixed_6b"), x, 128)
	x = inceptionV3C(module("Mixed_6c"), x, 160)
	x = inceptionV3C(module("Mixed_6d"), x, 160)
	x = inceptionV3C(module("Mixed_6e"), x, 192)
	x = inceptionV3D(module("Mixed_7a"), x)
	x = inceptionV3E(module("Mixed_7b"), x)
	x = inceptionV3E(module("Mixed_7c"), x)

	x = b.GlobalAvgPool("avgpool", x)
	features = dropout(b, "dropout", x, 0.5)
	return features, b.Linear("fc", features, classes)
}

// inceptionV3A is the module with a 5×5 convolution.
func inceptionV3A(m inceptionModule, x *graph.Node, pooled int) *graph.Node {
	one := m.unit("branch1x1", x, conv(64, 1, 1))

	five := m.unit("branch5x5_1", x, conv(48, 1, 1))
	five = m.unit("branch5x5_2", five, conv(64, 5, 1))

	double := m.unit("branch3x3dbl_1", x, conv(64, 1, 1))
	double = m.unit("branch3x3dbl_2", double, conv(96, 3, 1))
	double = m.unit("branch3x3dbl_3", double, conv(96, 3, 1))
	return m.concat(one, five, double, inceptionV3Pooled(m, x, pooled))
}

// inceptionV3B halves the map.
func inceptionV3B(m inceptionModule, x *graph.Node) *graph.Node {
	three := m.unit("branch3x3", x, valid(384, 3, 2))

	double := m.unit("branch3x3dbl_1", x, conv(64, 1, 1))
	double = m.unit("branch3x3dbl_2", double, conv(96, 3, 1))
	double = m.unit("branch3x3dbl_3", double, valid(96, 3, 2))
	return m.concat(three, double, m.pool("pool", x, halvingPool))
}

// inceptionV3C is the module with factorised 7×7 convolutions (fig. 6).
func inceptionV3C(m inceptionModule, x *graph.Node, inner int) *graph.Node {
	one := m.unit("branch1x1", x, conv(192, 1, 1))

	seven := m.unit("branch7x7_1", x, conv(inner, 1, 1))
	seven = m.unit("branch7x7_2", seven, row(inner, 7))
	seven = m.unit("branch7x7_3", seven, column(192, 7))

	double := m.unit("branch7x7dbl_1", x, conv(inner, 1, 1))
	double = m.unit("branch7x7dbl_2", double, column(inner, 7))
	double = m.unit("branch7x7dbl_3", double, row(inner, 7))
	double = m.unit("branch7x7dbl_4", double, column(inner, 7))
	double = m.unit("branch7x7dbl_5", double, row(192, 7))
	return m.concat(one, seven, double, inceptionV3Pooled(m, x, 192))
}

// inceptionV3D halves the map again.
func inceptionV3D(m inceptionModule, x *graph.Node) *graph.Node {
	three := m.unit("branch3x3_1", x, conv(192, 1, 1))
	three = m.unit("branch3x3_2", three, valid(320, 3, 2))

	seven := m.unit("branch7x7x3_1", x, conv(192, 1, 1))
	seven = m.unit("branch7x7x3_2", seven, row(192, 7))
	seven = m.unit("branch7x7x3_3", seven, column(192, 7))
	seven = m.unit("branch7x7x3_4", seven, valid(192, 3, 2))
	return m.concat(three, seven, m.pool("pool", x, halvingPool))
}

// inceptionV3E is the module with branches that fork (fig. 7).
func inceptionV3E(m inceptionModule, x *graph.Node) *graph.Node {
	one := m.unit("branch1x1", x, conv(320, 1, 1))

	three := m.unit("branch3x3_1", x, conv(384, 1, 1))
	threeA := m.unit("branch3x3_2a", three, row(384, 3))
	threeB := m.unit("branch3x3_2b", three, column(384, 3))

	double := m.unit("branch3x3dbl_1", x, conv(448, 1, 1))
	double = m.unit("branch3x3dbl_2", double, conv(384, 3, 1))
	doubleA := m.unit("branch3x3dbl_3a", double, row(384, 3))
	doubleB := m.unit("branch3x3dbl_3b", double, column(384, 3))
	return m.concat(one, threeA, threeB, doubleA, doubleB, inceptionV3Pooled(m, x, 192))
}

// inceptionV3Pooled is an average and a 1×1 convolution. torchvision calls the average as a
// function, which the published counting would not see; the table's cost has it, so here it is a module.
func inceptionV3Pooled(m inceptionModule, x *graph.Node, out int) *graph.Node {
	return m.unit("branch_pool", m.pool("pool", x, averaging), conv(out, 1, 1))
}
