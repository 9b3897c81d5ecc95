package conv

import (
	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/norm"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// grouped is the part of Conv for groups whose channels fill no tile of a matrix product, with windows of 3×3. The
// lanes of a vector are neighbouring output channels: of one group, which then all see the same input channels, or of
// several groups, for which an index vector picks each lane's input. The input of some groups is copied, padding
// included, to a block in which all distances are known to the kernels, see groupedLanes.
type grouped struct {
	conv     groupedPass
	data     groupedPass
	gradient groupedWeights
}

// maxGroupedChannels is the number of input channels of a group from which the matrix product is no slower.
const maxGroupedChannels = 64

// newGrouped returns nil for shapes that the kernels do not serve.
func newGrouped(s Shape) *grouped {
	in, out := s.C/s.Groups, s.OutC/s.Groups
	windows := s.KH == groupedTaps && s.KW == groupedTaps && s.SH == s.SW && s.SH <= 2 && s.PH == 1 && s.PW == 1
	lanes := in <= maxGroupedChannels && lanes8.serves(in, out) && lanes8.serves(out, in)
	if s.Groups == 1 || !windows || !lanes {
		return nil
	}
	x := groupedShape{
		groups: s.Groups, channels: in, cols: out, window: groupedWindow{stride: s.SH},
		h: s.H, w: s.W, first: -1, outH: s.OutH(), outW: s.OutW(),
	}
	dy := groupedShape{
		groups: s.Groups, channels: out, cols: in, window: groupedWindow{stride: s.SH},
		h: s.OutH(), w: s.OutW(), first: -1, outH: s.H, outW: s.W,
	}
	if s.SH == 2 {
		dy.window.turned, dy.first = true, 0
	}
	x.setIndex()
	dy.setIndex()
	return &grouped{
		conv:     groupedPass{shape: x},
		data:     groupedPass{shape: dy, backward: true},
		gradient: groupedWeights{shape: x},
	}
}

func (g *grouped) workspace(n, threads int) int {
	conv, data := g.conv.shape.plan(n), g.data.shape.plan(n)
	return max(conv.passSpace(threads), data.passSpace(threads), conv.weightsSpace(threads))
}

func (g *grouped) forward(p *parallel.Pool, n int, y, x, w []float32, e Epilogue, ws []float32) {
	f := &g.conv
	f.src, f.weights, f.dst, f.add, f.bias, f.relu = x, w, y, e.Add, e.Bias, e.Act == act.ReLU
	f.run(p, n, ws)
	g.readThrough(nil)
}

func (g *grouped) backwardData(p *parallel.Pool, n int, dx, dy, w, add, ws []float32) {
	d := &g.data
	d.src, d.weights, d.dst, d.add = dy, w, dx, add
	d.run(p, n, ws)
}

func (g *grouped) backwardWeights(p *parallel.Pool, n int, dw, dy, x []float32, accumulate bool, ws []float32) {
	w := &g.gradient
	w.src, w.dy, w.dw, w.accumulate = x, dy, dw, accumulate
	w.run(p, n, ws)
	g.readThrough(nil)
}

// readsThrough reports whether the input can be normalised by a clamp as it is copied: by one kernel, but for the last
// groups.
func (g *grouped) readsThrough() bool {
	lanes := g.conv.shape.lanes()
	return lanes.isa == isa.AVX512 && lanes.second > 0
}

// readThrough sets the batch norm that the input is read through in the next call, nil for none.
func (g *grouped) readThrough(in *norm.Input) { g.conv.through, g.gradient.through = in, in }
