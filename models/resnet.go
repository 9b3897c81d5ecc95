package models

import (
	"fmt"

	"github.com/reidbench/reidbench/models/graph"
)

// A residualBlock is a block of a ResNet (He et al. 2016, fig. 5) with the stride in its 3×3
// convolution: 1×1, 3×3, 1×1, or, if it is basic, 3×3, 3×3.
type residualBlock struct {
	inner, out, stride int
	groups             int // of the 3×3 convolution, zero means 1
	basic              bool
	gate               *squeeze // after the last norm, with out/16 hidden channels
}

func (r residualBlock) build(b *graph.Builder, name string, x *graph.Node) *graph.Node {
	shortcut := x
	if r.stride != 1 || x.Shape.C != r.out {
		shortcut = numbered.with(graph.Identity).build(b, name+".downsample", x, conv(r.out, 1, r.stride))
	}
	steps := []graph.Conv{conv(r.inner, 1, 1), grouped(r.inner, 3, r.stride, r.groups), conv(r.out, 1, 1)}
	if r.basic {
		steps = []graph.Conv{conv(r.inner, 3, r.stride), conv(r.out, 3, 1)}
	}
	for i, step := range steps {
		x = b.Conv(fmt.Sprintf("%s.conv%d", name, i+1), x, step)
		x = b.BatchNorm(fmt.Sprintf("%s.bn%d", name, i+1), x)
		if i < len(steps)-1 {
			x = b.ReLU(fmt.Sprintf("%s.relu%d", name, i+1), x)
		}
	}
	if r.gate != nil {
		x = r.gate.build(b, name+".se", x, r.out/16)
	}
	x = b.Add(name+".add", x, shortcut)
	return b.ReLU(name+".relu", x)
}

// A resNet is the network of He et al. 2016 and what descends from it: ResNeXt (Xie et al. 2017)
// in groups, Wide ResNet (Zagoruyko and Komodakis 2016) with wider 3×3 convolutions.
type resNet struct {
	depths        [4]int
	basic         bool
	groups, width int // of the first stage's 3×3 convolutions: groups, and channels per group
	gate          *squeeze
	pool, head    string // names that differ between the published implementations
}

func (r resNet) build(b *graph.Builder, classes int) (features, logits *graph.Node) {
	x := b.Conv("conv1", b.Input(), conv(64, 7, 2))
	x = b.BatchNorm("bn1", x)
	x = b.ReLU("relu", x)
	x = b.Op("maxpool", resNetPool, x)
	for stage, depth := range r.depths {
		x = r.stage(b, fmt.Sprintf("layer%d", stage+1), x, stage, depth)
	}
	features = b.GlobalAvgPool(r.pool, x)
	return features, b.Linear(r.head, features, classes)
}

var resNetPool = graph.MaxPool{Kernel: graph.Square(3), Stride: graph.Square(2), Pad: graph.Square(1)}

// stage appends depth blocks at 1/4, 1/8, 1/16 or 1/32 of the image's size.
func (r resNet) stage(b *graph.Builder, name string, x *graph.Node, stage, depth int) *graph.Node {
	planes := 64 << stage
	block := residualBlock{inner: planes * r.width / 64 * r.groups, out: 4 * planes, groups: r.groups, basic: r.basic,
		gate: r.gate}
	if r.basic {
		block.out = planes
	}
	for i := range depth {
		block.stride = 1
		if i == 0 && stage > 0 {
			// In the last stage too: the note keeps last_stride 2, where re-identification
			// often takes 1 for a larger last map.
			block.stride = 2
		}
		x = block.build(b, at(name, i), x)
	}
	return x
}

// timmGate is the gate of timm's SE-ResNets, whose mean is a call and not a module.
var timmGate = squeeze{
	pool: "mean", reduce: "fc1", expand: "fc2", inner: graph.ReLU, outer: graph.Sigmoid, functional: true,
}

func init() {
	add := func(name, row string, r resNet, aliases ...string) {
		if r.groups == 0 {
			r.groups, r.width = 1, 64
		}
		if r.pool == "" {
			r.pool = "avgpool"
		}
		if r.head == "" {
			r.head = "fc"
		}
		register(Model{Name: name, Row: row, Aliases: aliases, Family: CNN, Input: PersonImage, Build: r.build,
			Sources: []Source{{Name: "torchvision", Modules: Modules{"fc": r.head}},
				{Name: "torchreid", Modules: Modules{"classifier": r.head}}}})
	}
	var (
		d18, d50   = [4]int{2, 2, 2, 2}, [4]int{3, 4, 6, 3}
		d101, d152 = [4]int{3, 4, 23, 3}, [4]int{3, 8, 36, 3}
	)
	add("resnet50", "ResNet50", resNet{depths: d50, head: "classifier"})
	add("resnext50-32x4d", "ResNeXt50-32x4d", resNet{depths: d50, groups: 32, width: 4}, "resnext50_32x4d")
	add("wide-resnet50", "Wide-ResNet50", resNet{depths: d50, groups: 1, width: 128}, "wide_resnet50_2")
	add("seresnet50", "SEResNet50", resNet{depths: d50, gate: &timmGate, pool: "global_pool.pool"})

	add("resnet18", "", resNet{depths: d18, basic: true})
	add("resnet34", "", resNet{depths: d50, basic: true})
	add("resnet101", "", resNet{depths: d101})
	add("resnet152", "", resNet{depths: d152})
}
