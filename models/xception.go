package models

import (
	"fmt"

	"github.com/reidbench/reidbench/models/graph"
)

// An xception is the note's Xception (Chollet 2017, fig. 5).
type xception struct{ stemReLU bool }

func (e xception) build(b *graph.Builder, classes int) (features, logits *graph.Node) {
	x := b.Conv("conv1", b.Input(), graph.Conv{Out: 32, Kernel: graph.Square(3), Stride: graph.Square(2)})
	x = b.BatchNorm("bn1", x)
	x = b.ReLU("relu1", x)
	x = b.Conv("conv2", x, graph.Conv{Out: 64, Kernel: graph.Square(3)})
	x = b.BatchNorm("bn2", x)
	if e.stemReLU {
		// The note creates relu2 but its forward pass leaves it out.
		x = b.ReLU("relu2", x)
	}

	x = xceptionBlock{widths: []int{128, 128}, stride: 2, bare: true}.build(b, "block1", x)
	x = xceptionBlock{widths: []int{256, 256}, stride: 2}.build(b, "block2", x)
	x = xceptionBlock{widths: []int{728, 728}, stride: 2}.build(b, "block3", x)
	for i := 4; i < 12; i++ {
		x = xceptionBlock{widths: []int{728, 728, 728}, stride: 1}.build(b, fmt.Sprintf("block%d", i), x)
	}
	x = xceptionBlock{widths: []int{728, 1024}, stride: 2}.build(b, "block12", x)

	x = separable(b, "conv3", x, 1536)
	x = b.BatchNorm("bn3", x)
	x = b.ReLU("relu3", x)
	x = separable(b, "conv4", x, 2048)
	x = b.BatchNorm("bn4", x)
	x = b.ReLU("relu4", x)
	features = b.GlobalAvgPool("avgpool", x)
	return features, b.Linear("classifier", features, classes)
}

// separable is a 3×3 depthwise convolution and a 1×1 convolution.
func separable(b *graph.Builder, name string, x *graph.Node, out int) *graph.Node {
	x = b.Conv(name+".conv1", x, depthwise(x.Shape.C, 3, 1))
	return b.Conv(name+".pointwise", x, conv(out, 1, 1))
}

// An xceptionBlock is a residual block of ReLU, separable convolution and batch norm for each of
// its widths.
type xceptionBlock struct {
	widths []int
	stride int  // of a pool at the end
	bare   bool // without the first ReLU
}

func (e xceptionBlock) build(b *graph.Builder, name string, x *graph.Node) *graph.Node {
	shortcut, modules := x, sequence{module: name + ".rep"}
	for i, width := range e.widths {
		if i > 0 || !e.bare {
			x = b.ReLU(modules.next(), x)
		}
		x = separable(b, modules.next(), x, width)
		x = b.BatchNorm(modules.next(), x)
	}
	if e.stride != 1 {
		x = b.Op(modules.next(), resNetPool, x)
		shortcut = b.Conv(name+".skip", shortcut, conv(x.Shape.C, 1, e.stride))
		shortcut = b.BatchNorm(name+".skipbn", shortcut)
	}
	return b.Add(name+".add", x, shortcut)
}

// xceptionSources are torchreid's files, and timm's and pretrainedmodels', which have TensorFlow's weights.
var xceptionSources = []Source{
	{Name: "torchreid", Head: "classifier"},
	{Name: "timm", Modules: Modules{"fc": "classifier"}, Head: "fc", Conventions: Conventions{Input: Centred}},
	{Name: "pretrainedmodels", Modules: Modules{"last_linear": "classifier"}, Head: "last_linear",
		Conventions: Conventions{Input: Centred}},
}

func init() {
	register(
		Model{Name: "xception", Row: "Xception", Family: CNN, Input: PersonImage, Build: xception{}.build,
			Sources: xceptionSources},
		Model{Name: "xception-standard", Family: CNN, Input: PersonImage, Build: xception{stemReLU: true}.build,
			Sources: xceptionSources},
	)
}
