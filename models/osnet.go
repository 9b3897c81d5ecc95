package models

import "github.com/reidbench/reidbench/models/graph"

var (
	osNetUnit = unit{conv: "conv", norm: "bn", act: "relu", stats: pytorchNorm, f: graph.ReLU}
	osNetGate = squeeze{
		pool: "global_avgpool", reduce: "fc1", expand: "fc2", inner: graph.ReLU, outer: graph.Sigmoid,
	}
)

// osNetLight is a 3×3 convolution factorised into a 1×1 and a depthwise one (Zhou et al. 2019, fig. 2b).
func osNetLight(b *graph.Builder, name string, x *graph.Node) *graph.Node {
	c := x.Shape.C
	x = b.Conv(name+".conv1", x, conv(c, 1, 1))
	x = b.Conv(name+".conv2", x, depthwise(c, 3, 1))
	x = b.BatchNorm(name+".bn", x)
	return b.ReLU(name+".relu", x)
}

// osNetBlock is the omni-scale block (Zhou et al. 2019, fig. 4b): four streams of one to four
// light convolutions, weighed by one gate that all of them share.
func osNetBlock(b *graph.Builder, name string, x *graph.Node, out int) *graph.Node {
	linear, shortcut := osNetUnit.with(graph.Identity), x
	if x.Shape.C != out {
		shortcut = linear.build(b, name+".downsample", x, conv(out, 1, 1))
	}
	mid := out / 4
	x = osNetUnit.build(b, name+".conv1", x, conv(mid, 1, 1))

	streams := make([]*graph.Node, 4)
	for i, stream := range []string{".conv2a", ".conv2b", ".conv2c", ".conv2d"} {
		y := x
		if i == 0 {
			y = osNetLight(b, name+stream, y)
		} else {
			for j := range i + 1 {
				y = osNetLight(b, at(name+stream, j), y)
			}
		}
		streams[i] = b.Shared(func() *graph.Node { return osNetGate.build(b, name+".gate", y, mid/16) })
	}
	x = b.Add(name+".fuse", streams...)
	x = linear.build(b, name+".conv3", x, conv(out, 1, 1))
	x = b.Add(name+".add", x, shortcut)
	return b.ReLU(name+".relu", x)
}

// An osNet is OSNet (Zhou et al. 2019, table 1) by the channels of its stem and its three stages.
type osNet struct{ channels [4]int }

func (o osNet) build(b *graph.Builder, classes int) (features, logits *graph.Node) {
	x := numbered.build(b, "conv", b.Input(), conv(o.channels[0], 7, 2))
	x = b.Op("conv.3", resNetPool, x)
	for i, layer := range []string{"layer1", "layer2", "layer3"} {
		out := o.channels[i+1]
		x = osNetBlock(b, layer+".0", x, out)
		x = osNetBlock(b, layer+".1", x, out)
		if i < 2 {
			x = osNetUnit.build(b, layer+".2.0", x, conv(out, 1, 1))
			x = b.Op(layer+".2.1", graph.AvgPool{Kernel: graph.Square(2)}, x)
		}
	}
	x = osNetUnit.build(b, "conv1", x, conv(x.Shape.C, 1, 1))
	x = b.GlobalAvgPool("global_avgpool", x)
	x = b.Linear("refactor.0", x, 512)
	x = b.BatchNorm("refactor.1", x)
	features = b.ReLU("refactor.2", x)
	return features, b.Linear("classifier", features, classes)
}

// osNetTorchreid are the modules of the authors' code, which counts the stem as the first of
// five convolutional stages.
var osNetTorchreid = Modules{
	"conv1.conv": "conv.0", "conv1.bn": "conv.1",
	"conv2": "layer1", "conv3": "layer2", "conv4": "layer3", "conv5": "conv1",
	"fc": "refactor",
}

func init() {
	add := func(name, row string, channels [4]int, aliases ...string) {
		register(Model{Name: name, Row: row, Aliases: aliases, Family: CNN, Input: PersonImage,
			Build: osNet{channels}.build, Sources: []Source{{Name: "torchreid", Modules: osNetTorchreid}}})
	}
	add("osnet", "OSNet", [4]int{64, 256, 384, 512}, "osnet_x1_0")
	add("osnet_x0_75", "", [4]int{48, 192, 288, 384})
	add("osnet_x0_5", "", [4]int{32, 128, 192, 256})
	add("osnet_x0_25", "", [4]int{16, 64, 96, 128})
}
