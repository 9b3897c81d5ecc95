package conv

import (
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// Every direction of a convolution has an engine for each form in which it can be computed. An engine's workspace is
// the floats of scratch that a call for n samples needs; asking for it changes nothing.
type (
	forwardEngine interface {
		workspace(n, threads int) int
		forward(p *parallel.Pool, n int, y, x, w []float32, e Epilogue, ws []float32)
		form(n int) Form
	}
	dataEngine interface {
		workspace(n, threads int) int
		backwardData(p *parallel.Pool, n int, dx, dy, w, add, ws []float32)
		form(n int) Form
	}
	weightEngine interface {
		workspace(n, threads int) int
		backwardWeights(p *parallel.Pool, n int, dw, dy, x []float32, accumulate bool, ws []float32)
		form(n int) Form
	}
)

// forwardEngine returns what computes the forward pass of n samples.
func (c *Conv) forwardEngine(n int) forwardEngine {
	switch {
	case c.depthwise != nil:
		return c.depthwise
	case c.winograd.forward.pays(n):
		return &c.winograd.forward.pass
	case c.grouped != nil:
		return c.grouped
	}
	return &c.products.forward
}

// dataEngine returns what computes the gradient of the input for n samples.
func (c *Conv) dataEngine(n int) dataEngine {
	switch {
	case c.depthwise != nil:
		return c.depthwise
	case c.winograd.data.pays(n):
		return &c.winograd.data.pass
	case c.grouped != nil:
		return c.grouped
	}
	return &c.products.data
}

// weightEngine returns what computes the gradient of the weights for n samples.
func (c *Conv) weightEngine(n int) weightEngine {
	switch {
	case c.depthwise != nil:
		return c.depthwise
	case c.winograd.weights.pays(n):
		return c.winograd.weights
	case c.lined != nil:
		return c.lined
	case c.grouped != nil:
		return c.grouped
	}
	return &c.weights
}

// Workspace returns how many floats of scratch the calls for up to n samples on a pool of the given threads need. Fewer
// samples can need more, as the work is cut differently.
func (c *Conv) Workspace(n, threads int) int {
	size := 0
	for samples := 1; samples <= n; samples++ {
		bias := c.bias.size(samples * c.s.OutH() * c.s.OutW())
		size = max(size,
			c.forwardEngine(samples).workspace(samples, threads),
			c.dataEngine(samples).workspace(samples, threads),
			mem.Line+bias+c.weightEngine(samples).workspace(samples, threads))
	}
	return size
}
