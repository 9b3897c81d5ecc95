package models

import (
	"fmt"

	"github.com/reidbench/reidbench/models/graph"
)

// An hrNet is timm's classification HRNet (Sun et al. 2019) by the width of its branch of highest
// resolution; each further branch has half the resolution and twice the width.
type hrNet struct{ width int }

func (h hrNet) build(b *graph.Builder, classes int) (features, logits *graph.Node) {
	x := b.Input()
	for i := range 2 {
		x = b.Conv(fmt.Sprintf("conv%d", i+1), x, conv(64, 3, 2))
		x = b.BatchNorm(fmt.Sprintf("bn%d", i+1), x)
		x = b.ReLU(fmt.Sprintf("act%d", i+1), x)
	}
	for i := range 4 {
		x = residualBlock{inner: 64, out: 256, stride: 1}.build(b, at("layer1", i), x)
	}
	branches := []*graph.Node{
		numbered.build(b, "transition1.0", x, conv(h.width, 3, 1)),
		numbered.build(b, "transition1.1.0", x, conv(2*h.width, 3, 2)),
	}
	for stage, modules := range []int{1, 4, 3} {
		if stage > 0 {
			name := fmt.Sprintf("transition%d.%d.0", stage+1, stage+1)
			branches = append(branches, numbered.build(b, name, branches[stage], conv(h.width<<(stage+1), 3, 2)))
		}
		for i := range modules {
			branches = h.module(b, fmt.Sprintf("stage%d.%d", stage+2, i), branches)
		}
	}
	return h.head(b, branches, classes)
}

// module runs four blocks on each branch and then makes each branch the sum of all of them.
func (h hrNet) module(b *graph.Builder, name string, branches []*graph.Node) []*graph.Node {
	inputs := make([]*graph.Node, len(branches))
	for i, x := range branches {
		for j := range 4 {
			block := residualBlock{inner: x.Shape.C, out: x.Shape.C, stride: 1, basic: true}
			x = block.build(b, fmt.Sprintf("%s.branches.%d.%d", name, i, j), x)
		}
		inputs[i] = x
	}
	outputs := make([]*graph.Node, len(branches))
	for i := range branches {
		terms := make([]*graph.Node, len(inputs))
		for j, x := range inputs {
			terms[j] = h.resample(b, fmt.Sprintf("%s.fuse_layers.%d.%d", name, i, j), x, j, i)
		}
		sum := b.Add(fmt.Sprintf("%s.fuse.%d", name, i), terms...)
		outputs[i] = b.ReLU(fmt.Sprintf("%s.fuse_act.%d", name, i), sum)
	}
	return outputs
}

// resample takes a map from one branch's resolution and width to another's.
func (h hrNet) resample(b *graph.Builder, name string, x *graph.Node, from, to int) *graph.Node {
	linear := numbered.with(graph.Identity)
	if from > to {
		x = linear.build(b, name, x, conv(h.width<<to, 1, 1))
		return b.Op(name+".2", graph.Upsample{Factor: 1 << (from - to)}, x)
	}
	for i := range to - from {
		if i < to-from-1 {
			x = numbered.build(b, at(name, i), x, conv(h.width<<from, 3, 2))
		} else {
			x = linear.build(b, at(name, i), x, conv(h.width<<to, 3, 2))
		}
	}
	return x
}

// head widens each branch and adds them up from the highest resolution to the lowest.
func (h hrNet) head(b *graph.Builder, branches []*graph.Node, classes int) (features, logits *graph.Node) {
	var x *graph.Node
	for i, branch := range branches {
		block := residualBlock{inner: 32 << i, out: 128 << i, stride: 1}
		wide := block.build(b, fmt.Sprintf("incre_modules.%d.0", i), branch)
		if i == 0 {
			x = wide
			continue
		}
		x = numbered.build(b, at("downsamp_modules", i-1), x, biased(conv(128<<i, 3, 2)))
		x = b.Add(fmt.Sprintf("incre_modules.%d.add", i), wide, x)
	}
	x = numbered.build(b, "final_layer", x, biased(conv(2048, 1, 1)))
	features = b.GlobalAvgPool("global_pool.pool", x)
	return features, b.Linear("classifier", features, classes)
}

func init() {
	add := func(name, row string, width int, aliases ...string) {
		register(Model{Name: name, Row: row, Aliases: aliases, Family: CNN, Input: PersonImage,
			Build: hrNet{width}.build})
	}
	add("hrnet-w32", "HRNet-w32", 32, "hrnet_w32")
	add("hrnet_w18", "", 18)
	add("hrnet_w48", "", 48)
}
