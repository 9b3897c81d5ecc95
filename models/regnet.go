package models

import (
	"fmt"
	"math"

	"github.com/reidbench/reidbench/models/graph"
)

// A regNet is torchvision's RegNetX, or RegNetY if it is gated (Radosavovic et al. 2020): the
// widths of its blocks lie on a quantised line.
type regNet struct {
	depth      int     // blocks in all
	width      float64 // w₀, of the first block before rounding
	slope      float64 // wₐ, added per block
	multiplier float64 // w_m, from stage to stage
	groupWidth int
	gated      bool
	nearest    bool // round widths as timm does, see multipleOf
}

var regNetGate = squeeze{
	pool: "avgpool", reduce: "fc1", expand: "fc2", inner: graph.ReLU, outer: graph.Sigmoid,
}

func (r regNet) build(b *graph.Builder, classes int) (features, logits *graph.Node) {
	x := numbered.build(b, "stem", b.Input(), conv(32, 3, 2))
	for _, block := range r.blocks() {
		stride := 1
		if block.index == 0 {
			stride = 2
		}
		group := min(r.groupWidth, block.width)
		x = r.block(b, block.name(), x, r.multipleOf(group, block.width), group, stride)
	}
	features = b.GlobalAvgPool("avgpool", x)
	return features, b.Linear("fc", features, classes)
}

// A regNetBlock is a block's place and width; stages count from 1.
type regNetBlock struct{ stage, index, width int }

func (p regNetBlock) name() string {
	return fmt.Sprintf("trunk_output.block%d.block%d-%d", p.stage, p.stage, p.index)
}

// blocks gives blocks of the same width to the same stage.
func (r regNet) blocks() []regNetBlock {
	var list []regNetBlock
	var next regNetBlock
	for _, width := range r.widths() {
		if width != next.width {
			next = regNetBlock{stage: next.stage + 1, width: width}
		}
		list = append(list, next)
		next.index++
	}
	return list
}

// widths are the blocks' widths (Radosavovic et al. 2020, eq. 2 to 4), rounded to multiples of 8.
func (r regNet) widths() []int {
	list := make([]int, r.depth)
	for i := range list {
		capacity := math.RoundToEven(math.Log((r.width+r.slope*float64(i))/r.width) / math.Log(r.multiplier))
		list[i] = 8 * int(math.RoundToEven(r.width*math.Pow(r.multiplier, capacity)/8))
	}
	return list
}

// multipleOf rounds width to the nearest multiple of group; torchvision takes the next one where
// that lost more than a tenth, which timm does not.
func (r regNet) multipleOf(group, width int) int {
	if r.nearest {
		return group * int(math.RoundToEven(float64(width)/float64(group)))
	}
	rounded := max(group, (width+group/2)/group*group)
	if 10*rounded < 9*width {
		rounded += group
	}
	return rounded
}

func (r regNet) block(b *graph.Builder, name string, x *graph.Node, out, group, stride int) *graph.Node {
	linear, shortcut, in := numbered.with(graph.Identity), x, x.Shape.C
	if stride != 1 || in != out {
		shortcut = linear.build(b, name+".proj", x, conv(out, 1, stride))
	}
	x = numbered.build(b, name+".f.a", x, conv(out, 1, 1))
	x = numbered.build(b, name+".f.b", x, grouped(out, 3, stride, out/group))
	if r.gated {
		x = regNetGate.build(b, name+".f.se", x, int(math.RoundToEven(float64(in)/4)))
	}
	x = linear.build(b, name+".f.c", x, conv(out, 1, 1))
	x = b.Add(name+".add", x, shortcut)
	return b.ReLU(name+".activation", x)
}

// timm has timm's modules.
func (r regNet) timm() Modules {
	modules := Modules{"stem.conv": "stem.0", "stem.bn": "stem.1", "head.fc": "fc"}
	for _, block := range r.blocks() {
		modules.add(fmt.Sprintf("s%d.b%d", block.stage, block.index+1), block.name(),
			"conv1.conv", "f.a.0", "conv1.bn", "f.a.1", "conv2.conv", "f.b.0", "conv2.bn", "f.b.1",
			"se", "f.se", "conv3.conv", "f.c.0", "conv3.bn", "f.c.1", "downsample.conv", "proj.0", "downsample.bn",
			"proj.1")
	}
	return modules
}

func init() {
	add := func(name, row string, r regNet, aliases ...string) {
		register(Model{Name: name, Row: row, Aliases: aliases, Family: CNN, Input: PersonImage, Build: r.build,
			Sources: []Source{{Name: "timm", Modules: r.timm()}}})
	}
	const x, y, torchvision, timm = false, true, false, true
	add("regnetx-032", "Regnetx-032", regNet{25, 88, 26.31, 2.25, 48, x, torchvision}, "regnet_x_3_2gf", "regnetx_032")
	add("regnety-032", "Regnety-032", regNet{21, 80, 42.63, 2.66, 24, y, torchvision}, "regnet_y_3_2gf", "regnety_032")

	add("regnetx_002", "", regNet{13, 24, 36.44, 2.49, 8, x, timm})
	add("regnet_x_400mf", "", regNet{22, 24, 24.48, 2.54, 16, x, torchvision})
	add("regnetx_006", "", regNet{16, 48, 36.97, 2.24, 24, x, timm})
	add("regnet_x_800mf", "", regNet{16, 56, 35.73, 2.28, 16, x, torchvision}, "regnetx_008")
	add("regnet_x_1_6gf", "", regNet{18, 80, 34.01, 2.25, 24, x, torchvision}, "regnetx_016")
	add("regnetx_040", "", regNet{23, 96, 38.65, 2.43, 40, x, timm})
	add("regnetx_064", "", regNet{17, 184, 60.83, 2.07, 56, x, timm})
	add("regnet_x_8gf", "", regNet{23, 80, 49.56, 2.88, 120, x, torchvision}, "regnetx_080")
	add("regnetx_120", "", regNet{19, 168, 73.36, 2.37, 112, x, timm})
	add("regnet_x_16gf", "", regNet{22, 216, 55.59, 2.1, 128, x, torchvision}, "regnetx_160")
	add("regnet_x_32gf", "", regNet{23, 320, 69.86, 2.0, 168, x, torchvision}, "regnetx_320")

	add("regnety_002", "", regNet{13, 24, 36.44, 2.49, 8, y, timm})
	add("regnet_y_400mf", "", regNet{16, 48, 27.89, 2.09, 8, y, torchvision}, "regnety_004")
	add("regnety_006", "", regNet{15, 48, 32.54, 2.32, 16, y, timm})
	add("regnet_y_800mf", "", regNet{14, 56, 38.84, 2.4, 16, y, torchvision})
	add("regnet_y_1_6gf", "", regNet{27, 48, 20.71, 2.65, 24, y, torchvision}, "regnety_016")
	add("regnety_040", "", regNet{22, 96, 31.41, 2.24, 64, y, timm})
	add("regnety_064", "", regNet{25, 112, 33.22, 2.27, 72, y, timm})
	add("regnet_y_8gf", "", regNet{17, 192, 76.82, 2.19, 56, y, torchvision})
	add("regnety_120", "", regNet{19, 168, 73.36, 2.37, 112, y, timm})
	add("regnet_y_16gf", "", regNet{18, 200, 106.23, 2.48, 112, y, torchvision}, "regnety_160")
	add("regnet_y_32gf", "", regNet{20, 232, 115.89, 2.53, 232, y, torchvision}, "regnety_320")
}
