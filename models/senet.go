package models

import (
	"fmt"

	"github.com/reidbench/reidbench/models/graph"
)

// A seNet154 is the note's SENet-154 (Hu et al. 2018, appendix): grouped bottlenecks with a
// squeeze-and-excitation gate, and a stem of three 3×3 convolutions.
type seNet154 struct{ thirdStride int }

var seNetGate = squeeze{
	pool: "avg_pool", reduce: "fc1", expand: "fc2", inner: graph.ReLU, outer: graph.Sigmoid,
}

func (s seNet154) build(b *graph.Builder, classes int) (features, logits *graph.Node) {
	x := b.Input()
	stem := []graph.Conv{
		conv(64, 3, 2),
		conv(64, 3, 1),
		// The note writes conv3x3(64, self.inplanes, 3), where the 3 is meant as the kernel but is
		// the stride. Its table has the cost of that network.
		conv(128, 3, s.thirdStride),
	}
	for i, op := range stem {
		x = b.Conv(fmt.Sprintf("layer0.conv%d", i+1), x, op)
		x = b.BatchNorm(fmt.Sprintf("layer0.bn%d", i+1), x)
		x = b.ReLU(fmt.Sprintf("layer0.relu%d", i+1), x)
	}
	x = b.Op("layer0.pool", graph.MaxPool{Kernel: graph.Square(3), Stride: graph.Square(2), Ceil: true}, x)
	for stage, depth := range []int{3, 8, 36, 3} {
		for i := range depth {
			stride := 1
			if i == 0 && stage > 0 {
				stride = 2
			}
			x = seNetBlock(b, fmt.Sprintf("layer%d.%d", stage+1, i), x, 64<<stage, stride)
		}
	}
	x = b.GlobalAvgPool("avg_pool", x)
	features = dropout(b, "dropout", x, 0.2)
	return features, b.Linear("classifier", features, classes)
}

func seNetBlock(b *graph.Builder, name string, x *graph.Node, planes, stride int) *graph.Node {
	out, shortcut := 4*planes, x
	if stride != 1 || x.Shape.C != out {
		kernel := 1
		if stride != 1 {
			kernel = 3
		}
		shortcut = numbered.with(graph.Identity).build(b, name+".downsample", x, conv(out, kernel, stride))
	}
	x = b.Conv(name+".conv1", x, conv(2*planes, 1, 1))
	x = b.BatchNorm(name+".bn1", x)
	x = b.ReLU(name+".relu1", x)
	x = b.Conv(name+".conv2", x, grouped(out, 3, stride, 64))
	x = b.BatchNorm(name+".bn2", x)
	x = b.ReLU(name+".relu2", x)
	x = b.Conv(name+".conv3", x, conv(out, 1, 1))
	x = b.BatchNorm(name+".bn3", x)
	x = seNetGate.build(b, name+".se_module", x, out/16)
	x = b.Add(name+".add", x, shortcut)
	return b.ReLU(name+".relu", x)
}

func init() {
	timm := []Source{{Name: "timm", Modules: Modules{"last_linear": "classifier"}}}
	register(
		Model{Name: "senet154", Row: "SENet154", Family: CNN, Input: PersonImage, Build: seNet154{3}.build,
			Sources: timm},
		Model{Name: "senet154-standard", Aliases: []string{"legacy_senet154"}, Family: CNN, Input: PersonImage,
			Build: seNet154{1}.build, Sources: timm},
	)
}
