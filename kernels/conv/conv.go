// Package conv answers how convolutions and linear layers are computed, forward and backward, and which parts of the
// batch norms around them are computed on the way.
//
// A [Conv] is made for a [Shape]. For each direction (forward, data gradient, weight gradient) it has an engine for
// each [Form] in which that can be computed, and every call asks for the one that pays for its batch, see engine.go:
//
//   - matrix products of gathered windows and weights (product.go, weights.go), of copied lines (lines.go), of
//     quadrants in Strassen's form (strassen.go), of pairs of bf16 (bf16.go);
//   - Winograd's minimal filtering (winograd.go), where winograd_forms.go says that it pays;
//   - vectors of neighbouring channels for small groups (grouped.go) and for depthwise convolutions (depthwise.go).
//
// An engine takes its scratch from the workspace, packs the weights, and cuts its work into tasks of blocks of rows and
// columns. For products, package gemm computes the blocks.
//
// Batch norms ride along in three ways, all in norm.go: a forward pass sums its output for the batch norm after it
// ([Conv.ForwardStats]), a data gradient sums its result for the one before ([Conv.BackwardDataSums]), and an input is
// read through the one before ([Conv.ReadThrough]). In joint.go, [Conv.BackwardJoint] computes the gradient of the
// batch norm after a convolution and both of its own in one pass.
package conv

import (
	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/norm"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// Epilogue is what happens to a convolution's output before it is stored: y = act(conv + bias + add).
type Epilogue struct {
	Bias []float32 // [OutC], nil for none
	Add  []float32 // shape of y, may be y itself; nil for none
	Act  act.Kind  // one that [Conv.Applies] reports true for
}

// Conv computes a convolution and its gradients. x is [N,H,W,C] and y is [N,OutH,OutW,OutC]; [Shape] says how the
// weights lie.
type Conv struct {
	s Shape

	// The engines, see engine.go. Pointers are nil where there is no such form.
	depthwise    *depthwise
	grouped      *grouped
	winograd     winogradForms
	lined        *linedWeights
	products     struct{ forward, data productPass } // of the operands below
	weights      weightPass
	jointProduct *jointProduct // the whole backward pass of a 1×1 convolution

	forward implicitProduct
	data    []implicitProduct // of the data gradient, one per phase of the stride
	bias    channelSum

	through norm.Input        // what the next call reads its input through
	before  norm.GradientSums // what the call in flight sums for the batch norm that made the input
}

// New returns a convolution of the given shape, or an error if there is none. Where it pays, it is computed in
// Winograd's form, whose rounding errors are larger than those of the plain sum: up to twice as large in a forward pass
// that no batch norm follows, up to four times as large elsewhere.
func New(s Shape) (*Conv, error) {
	c, err := newDirectConv(s)
	if err == nil && c.depthwise == nil {
		c.useWinograd()
		c.useStrassen(minStrassenColumns, minStrassenDepth)
		c.useJoint()
		if s.Precision == gemm.BF16 {
			c.usePairs()
		}
	}
	return c, err
}

// newDirectConv is New with float32 products in their plain form.
func newDirectConv(s Shape) (*Conv, error) {
	if err := s.validate(); err != nil {
		return nil, err
	}
	c := &Conv{s: s, bias: channelSum{channels: s.OutC}}
	if s.Depthwise() {
		c.depthwise = newDepthwise(s)
		return c, nil
	}
	window := gather{
		h: s.H, w: s.W, pixel: s.C, channels: s.C / s.Groups, kh: s.KH, kw: s.KW,
		sh: s.SH, sw: s.SW, top: -s.PH, left: -s.PW, outH: s.OutH(), outW: s.OutW(),
	}
	c.forward = implicitProduct{
		gather: window, groups: s.Groups, cols: s.OutC / s.Groups, even: s.Inference,
		weightColumns: weightColumns{transposed: true, weightStride: window.depth()},
		destination:   destination{dstPixel: s.OutC, phase: phase{h: s.OutH(), w: s.OutW(), sh: 1, sw: 1}},
	}
	c.weights.weightProduct = weightProduct{gather: window, groups: s.Groups, rows: s.OutC / s.Groups}
	c.lined = newLinedWeights(window, s.OutC)
	for y := range min(s.SH, s.H) {
		for x := range min(s.SW, s.W) {
			c.data = append(c.data, dataPhase(s, y, x))
		}
	}
	c.grouped = newGrouped(s)
	c.products.forward.add(&c.forward, &c.forward)
	for i := range c.data {
		c.products.data.add(&c.data[i], &c.data[i])
	}
	return c, nil
}

// dataPhase returns the data gradient of the pixels (y + SH·i, x + SW·j). Pixel iy was read by output line
// (iy + PH - ky)/SH, so one phase sees every SH-th tap; in falling order of ky those lines rise one by one.
func dataPhase(s Shape, y, x int) implicitProduct {
	kh, lastY, top := phaseTaps(s.KH, s.SH, s.PH, y)
	kw, lastX, left := phaseTaps(s.KW, s.SW, s.PW, x)
	in := s.C / s.Groups
	p := implicitProduct{
		gather: gather{
			h: s.OutH(), w: s.OutW(), pixel: s.OutC, channels: s.OutC / s.Groups, kh: kh, kw: kw,
			sh: 1, sw: 1, top: top, left: left, outH: mem.CeilDiv(s.H-y, s.SH), outW: mem.CeilDiv(s.W-x, s.SW),
		},
		groups: s.Groups, cols: in,
		weightColumns: weightColumns{weightStride: s.KH * s.KW * in},
		destination:   destination{dstPixel: s.C, phase: phase{h: s.H, w: s.W, y0: y, x0: x, sh: s.SH, sw: s.SW}},
	}
	for i := range kh {
		for j := range kw {
			p.tapOffsets = append(p.tapOffsets, ((lastY-i*s.SH)*s.KW+lastX-j*s.SW)*in)
		}
	}
	return p
}

// phaseTaps returns the number of taps that see pixels of a phase, the last of these taps, and the output line through
// which it sees the phase's first pixel.
func phaseTaps(kernel, stride, padding, phase int) (count, last, line int) {
	first := (phase + padding) % stride
	if first >= kernel {
		return 0, 0, 0
	}
	count = (kernel-first-1)/stride + 1
	last = first + (count-1)*stride
	return count, last, (phase + padding - last) / stride
}

// Applies reports whether the epilogue of a forward pass computes an activation. All compute act.None and act.ReLU,
// most in the registers that hold the sums. The others follow while a block of the output is in the caches; the kernels
// for small groups have no such blocks.
func (c *Conv) Applies(kind act.Kind) bool {
	return kind == act.None || kind == act.ReLU || c.grouped == nil
}

// follows returns the activation if it is none that the loops over the sums compute.
func (e *Epilogue) follows() act.Kind {
	if e.Act == act.ReLU {
		return act.None
	}
	return e.Act
}

// Forward computes y = act(conv(x, w) + bias + add) for n samples. It panics unless [Conv.Applies] reports true for the
// activation. After [Conv.Pack] for n samples, it reads what that has packed in place of w.
func (c *Conv) Forward(p *parallel.Pool, n int, y, x, w []float32, e Epilogue, ws []float32) {
	c.check(n, y, x, w)
	if e.Add != nil {
		mem.CheckLen("conv.Conv", "add", e.Add, n*c.outputSize())
	}
	if e.Bias != nil {
		mem.CheckLen("conv.Conv", "bias", e.Bias, c.s.OutC)
	}
	if !c.Applies(e.Act) {
		panic("conv.Conv: no epilogue computes " + e.Act.String())
	}
	mem.RaceRead(x)
	mem.RaceRead(w)
	mem.RaceRead(e.Add)
	mem.RaceWrite(y[:n*c.outputSize()])
	c.forwardEngine(n).forward(p, n, y, x, w, e, ws)
}

// BackwardData computes dx = convᵀ(dy, w) + add for n samples. add has the shape of x and may be dx; nil for none.
func (c *Conv) BackwardData(p *parallel.Pool, n int, dx, dy, w, add, ws []float32) {
	c.check(n, dy, dx, w)
	if add != nil {
		mem.CheckLen("conv.Conv", "add", add, n*c.inputSize())
	}
	mem.RaceRead(dy)
	mem.RaceRead(w)
	mem.RaceRead(add)
	mem.RaceWrite(dx[:n*c.inputSize()])
	c.dataEngine(n).backwardData(p, n, dx, dy, w, add, ws)
}

// BackwardWeights computes the gradients of the weights and of the bias over n samples, in dw and db, or adds them to
// what these hold. db may be nil.
func (c *Conv) BackwardWeights(p *parallel.Pool, n int, dw, db, dy, x []float32, accumulate bool, ws []float32) {
	c.check(n, dy, x, dw)
	if db != nil {
		mem.CheckLen("conv.Conv", "db", db, c.s.OutC)
	}
	mem.RaceRead(dy)
	mem.RaceRead(x)
	mem.RaceWrite(dw[:c.s.Weights()])
	space := mem.NewScratch(ws)
	if db != nil {
		rows := n * c.s.OutH() * c.s.OutW()
		c.bias.rows, c.bias.dy, c.bias.sums = rows, dy, c.bias.takeSums(rows, &space)
		p.Run(c.bias.tasks(), &c.bias)
		c.bias.finish(db, accumulate)
	}
	c.weightEngine(n).backwardWeights(p, n, dw, dy, x, accumulate, space.Rest)
}

func (c *Conv) inputSize() int { return c.s.H * c.s.W * c.s.C }

func (c *Conv) outputSize() int { return c.s.OutH() * c.s.OutW() * c.s.OutC }

func (c *Conv) check(n int, y, x, w []float32) {
	mem.CheckLen("conv.Conv", "output", y, n*c.outputSize())
	mem.CheckLen("conv.Conv", "input", x, n*c.inputSize())
	mem.CheckLen("conv.Conv", "weights", w, c.s.Weights())
}
