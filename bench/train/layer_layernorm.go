package train

import (
	"github.com/reidbench/reidbench/kernels/norm"
)

// layerNormLayer normalises the channels of each position.
type layerNormLayer struct {
	base
	kernel       *norm.LayerNorm
	mean, invStd buffer
}

func (l *layerNormLayer) trains(c *compiler) bool { return c.trainsParams(l.node) }
func (l *layerNormLayer) recomputable() bool      { return true }

func (l *layerNormLayer) forward(c *compiler, out buffer) {
	l.mean, l.invStd = c.newBuffer(l.positions(), 0), c.newBuffer(l.positions(), 0)
	l.recompute(c, out)
}

func (l *layerNormLayer) recompute(c *compiler, out buffer) {
	kernel, positions := l.kernel, l.positions()
	x, mean, invStd := c.read(l.in[0]), l.mean, l.invStd
	gamma, beta := c.weights.of(l.node.Params[0]), c.weights.of(l.node.Params[1])
	c.emit(l.label(Forward), []buffer{x}, []buffer{out, mean, invStd}, func(f *frame) {
		kernel.Forward(f.pool, f.n*positions, f.at(out), f.at(x), gamma, beta, f.at(mean), f.at(invStd))
	})
}

func (l *layerNormLayer) backward(c *compiler, dy buffer) {
	kernel, positions := l.kernel, l.positions()
	x, mean, invStd := c.read(l.in[0]), l.mean, l.invStd
	gamma := c.weights.of(l.node.Params[0])
	dGamma, accumulate := c.parameterGradient(l.node.Params[0])
	dBeta, _ := c.parameterGradient(l.node.Params[1])
	c.scratch(kernel.Workspace(c.opt.Batch*positions, c.threads))
	k := c.contribute(l.in[0], true, none)
	c.emit(l.label(Gradient), []buffer{dy, x, mean, invStd, k.add}, []buffer{k.dst}, func(f *frame) {
		of := norm.LayerNormGradient{
			DY: f.at(dy), X: f.at(x), Mean: f.at(mean), InvStd: f.at(invStd), Gamma: gamma,
			DX: f.at(k.dst), Add: f.at(k.add), DGamma: dGamma, DBeta: dBeta, Accumulate: accumulate,
		}
		kernel.Backward(f.pool, f.n*positions, of, f.ws)
	})
	k.done()
}
