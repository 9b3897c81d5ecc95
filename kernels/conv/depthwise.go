package conv

import (
	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/norm"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// depthwise is the part of Conv that convolves every channel on its own. Weights are [KH,KW,C]. Pieces of the source
// are copied to panels in the first-level cache and computed from there.
type depthwise struct {
	conv, data depthwisePass
	gradient   depthwiseGradient
	joint      *depthwiseJoint // nil if there is none
}

func newDepthwise(s Shape) *depthwise {
	d := &depthwise{
		conv: newDepthwisePass(s, depthwisePanel{h: s.H, w: s.W, c: s.C, left: -s.PW, stride: s.SW}, -s.PH, s.SH),
		data: newDepthwisePass(s, depthwisePanel{h: s.OutH(), w: s.OutW(), c: s.C, stride: 1}, 0, 1),
	}
	d.conv.addForward(s)
	d.data.addPhases(s)
	d.gradient = newDepthwiseGradient(s, d.conv)
	d.joint = newDepthwiseJoint(s, d)
	return d
}

func (d *depthwise) workspace(n, threads int) int {
	return max(d.conv.workspace(threads), d.data.workspace(threads), d.gradient.workspace(n, threads))
}

func (d *depthwise) forward(p *parallel.Pool, n int, y, x, w []float32, e Epilogue, ws []float32) {
	c := &d.conv
	c.start(n, y, x, w, e.Add, ws)
	c.bias = e.Bias
	if e.Bias != nil {
		c.flags |= flagBias
	}
	if e.Act == act.ReLU {
		c.flags |= flagReLU
	}
	if c.follows = e.follows(); c.follows != act.None {
		c.flags &^= flagStream
	}
	c.run(p)
	d.readThrough(nil)
}

// readThrough sets the batch norm that the input is read through in the next call, nil for none.
func (d *depthwise) readThrough(in *norm.Input) {
	d.conv.panel.norm, d.gradient.conv.panel.norm = in, in
	if d.joint != nil {
		d.joint.gradient.conv.panel.norm = in
	}
}

func (d *depthwise) backwardData(p *parallel.Pool, n int, dx, dy, w, add, ws []float32) {
	d.data.start(n, dx, dy, w, add, ws)
	d.data.run(p)
}

func (d *depthwise) backwardWeights(p *parallel.Pool, n int, dw, dy, x []float32, accumulate bool, ws []float32) {
	d.gradient.start(n, dw, dy, x, accumulate, ws)
	p.Run(d.gradient.parts(), (*sumTaps)(&d.gradient))
	p.Run(d.gradient.conv.blocks, (*addTapSums)(&d.gradient))
	d.readThrough(nil)
}
