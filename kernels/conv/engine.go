package conv

import (
	"fmt"

	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// Every direction of a convolution has an engine for each form in which it can be computed. workspace returns the
// floats of scratch that a call for n samples needs. Asking for it changes nothing.
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
	case c.winograd.few.pays(n):
		return &c.winograd.few.pass
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
		bias := mem.CountingScratch()
		c.bias.takeSums(samples*c.s.OutH()*c.s.OutW(), &bias)
		size = max(size,
			c.forwardEngine(samples).workspace(samples, threads),
			c.dataEngine(samples).workspace(samples, threads),
			bias.Size()+c.weightEngine(samples).workspace(samples, threads))
	}
	return size
}

// Form is a way to compute one direction of a convolution.
type Form string

// The forms.
const (
	FormProduct   Form = "product"   // a matrix product of gathered windows and weights
	FormLines     Form = "lines"     // a matrix product of windows in copies of whole lines and weights
	FormStrassen  Form = "strassen"  // a matrix product in Strassen's form
	FormWinograd  Form = "winograd"  // Winograd's minimal filtering
	FormGrouped   Form = "grouped"   // the kernels for small groups
	FormDepthwise Form = "depthwise" // the kernels for depthwise convolutions
)

// Forms are the forms of a convolution's three directions.
type Forms struct{ Forward, Data, Weights Form }

// String returns the forms by direction.
func (f Forms) String() string {
	return fmt.Sprintf("forward %s, data %s, weights %s", f.Forward, f.Data, f.Weights)
}

// Forms returns the forms in which n samples are computed with the instruction set in use.
func (c *Conv) Forms(n int) Forms {
	return Forms{c.forwardEngine(n).form(n), c.dataEngine(n).form(n), c.weightEngine(n).form(n)}
}

func (d *depthwise) form(int) Form { return FormDepthwise }

func (g *grouped) form(int) Form { return FormGrouped }

func (m *productPass) form(n int) Form { return m.parts[0].of(n).form() }

func (p *implicitProduct) form() Form {
	switch {
	case p.inStrassenForm():
		return FormStrassen
	case p.multipliesLines():
		return FormLines
	}
	return FormProduct
}

func (p *winogradProduct) form() Form { return FormWinograd }

func (w *winogradWeights) form(int) Form { return FormWinograd }

func (p *linedWeights) form(int) Form { return FormLines }

func (w *weightPass) form(int) Form { return FormProduct }
