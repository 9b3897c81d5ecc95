package train

import (
	"errors"
	"fmt"

	"github.com/reidbench/reidbench/kernels"
	"github.com/reidbench/reidbench/models/graph"
)

// A value is what flows between layers. Nodes that only rename or reshape share their input's.
type value struct {
	size    int  // floats per sample
	needs   bool // a gradient must reach it
	node    *graph.Node
	maker   layer           // nil for the image
	readers []layer         // in the order of the forward pass: the first is the last that adds to the gradient
	buf     buffer          // where the forward pass puts it
	grad    buffer          // where its gradient is gathered, none until something contributes
	gated   *gated          // what is missing in the gradient, nil for nothing
	behind  *batchNormLayer // through which the gradient still has to go, nil for none
	again   *buffer         // where the backward pass computed it again
	moments *moments        // of its channels, nil if nobody has asked for them
}

// A layer is one or more fused nodes. A layer writes its steps twice: for the forward
// pass and, after everything that reads its output has done so, for the backward pass.
type layer interface {
	// node is the graph's node that the layer is called after.
	node() *graph.Node
	// output is the layer's value.
	output() *value
	setOutput(*value)
	// inputs are the values that it reads.
	inputs() []*value
	// trains reports whether the layer has parameters that this program trains.
	trains(c *compiler) bool
	// forward appends the steps that compute the output into out.
	forward(c *compiler, out buffer)
	// backward appends the steps that turn dy, the gradient of the output, into
	// gradients of the inputs and parameters.
	backward(c *compiler, dy buffer)
}

// cheap layers cost no more than a pass over memory; the backward pass computes their
// output again where it needs it.
type cheap interface{ recomputable() bool }

// compiler holds what Compile knows on its way.
type compiler struct {
	graph   *graph.Graph
	weights *Weights
	opt     Options
	threads int

	values     map[*graph.Node]*value
	layers     []layer
	buffers    []storage
	steps      []step
	workspace  int
	inBackward bool
	written    map[*graph.Param]bool // gradients that hold something already
	gradients  []float32
	frozen     map[*graph.Node]bool // nodes that run in evaluation mode
	beforeNorm []bool               // nodes, by ID, that only batch norms read
}

func compile(g *graph.Graph, w *Weights, threads int, opt Options) (*Program, error) {
	if opt.Batch < 1 {
		return nil, fmt.Errorf("compiling %s: a batch of %d", g.Name, opt.Batch)
	}
	if w.graph != g {
		return nil, fmt.Errorf("compiling %s: the weights were made for another graph", g.Name)
	}
	if err := opt.Precision.Available(); err != nil {
		return nil, fmt.Errorf("compiling %s: %w", g.Name, err)
	}
	if opt.Loss == nil {
		opt.Loss = CrossEntropy{}
	}
	c := &compiler{
		graph: g, weights: w, opt: opt, threads: threads,
		values: map[*graph.Node]*value{}, written: map[*graph.Param]bool{}, frozen: map[*graph.Node]bool{},
		beforeNorm: g.BeforeNorm(),
	}
	c.freeze()
	if err := c.lower(); err != nil {
		return nil, fmt.Errorf("compiling %s: %w", g.Name, err)
	}
	p := &Program{graph: g, weights: w, options: opt, features: none, dlogits: none}
	if opt.Stage != Inference {
		c.gradients = kernels.Allocate(len(w.parameters))
		p.gradients = c.gradients
	}

	features, logits := c.values[g.Features], c.values[g.Logits]
	features.readers = append(features.readers, nil) // the caller
	c.emitForward()
	forwardSteps := len(c.steps)
	p.features, p.logits = features.buf, logits.buf
	if opt.Stage != Inference {
		if !logits.needs {
			return nil, fmt.Errorf("compiling %s: %w", g.Name, errors.New("nothing to train"))
		}
		p.dlogits = c.newBuffer(logits.size, 0)
		c.emitBackward(logits, p.dlogits)
	}
	p.forward, p.backward = c.steps[:forwardSteps:forwardSteps], c.steps[forwardSteps:]

	c.measureLives(forwardSteps, p)
	floats := plan(c.buffers, opt.Batch)
	p.frame.buffers = c.buffers
	p.memory = Memory{
		Activations: 4 * int64(floats),
		Workspace:   4 * int64(c.workspace),
		Input:       4 * int64(opt.Batch*g.Input.Shape.Size()),
		Weights:     4 * int64(slabFloats(g.Params)+slabFloats(g.Buffers)),
	}
	if opt.Stage != Inference {
		p.memory.Gradients = 4 * int64(slabFloats(g.Params))
		p.memory.Moments = 2 * p.memory.Gradients
	}
	return p, nil
}

// freeze marks the nodes that run in evaluation mode: all of them for inference, what
// leads to the features while only the classifier trains.
func (c *compiler) freeze() {
	var mark func(n *graph.Node)
	mark = func(n *graph.Node) {
		if c.frozen[n] {
			return
		}
		c.frozen[n] = true
		for _, in := range n.Inputs {
			mark(in)
		}
	}
	switch c.opt.Stage {
	case Inference:
		mark(c.graph.Logits)
	case ClassifierOnly:
		mark(c.graph.Features)
	}
}

// trainsParams reports whether this program trains the node's parameters.
func (c *compiler) trainsParams(n *graph.Node) bool {
	if len(n.Params) == 0 {
		return false
	}
	return c.opt.Stage == Everything || c.opt.Stage == ClassifierOnly && n == c.graph.Classifier
}

func (c *compiler) newBuffer(perSample, fixed int) buffer {
	c.buffers = append(c.buffers, storage{perSample: perSample, fixed: fixed, first: -1, last: -1})
	return buffer(len(c.buffers) - 1)
}

// emit appends a step.
func (c *compiler) emit(l label, reads, writes []buffer, run func(*frame)) {
	c.steps = append(c.steps, step{l, reads, writes, run})
}

// scratch makes sure that the workspace holds so many floats.
func (c *compiler) scratch(floats int) { c.workspace = max(c.workspace, floats) }

// parameterGradient returns where a parameter's gradient goes and whether it must be added
// to what an earlier call of the same module has put there.
func (c *compiler) parameterGradient(p *graph.Param) (slab []float32, accumulate bool) {
	at := c.weights.mustPlace(p.Name)
	accumulate = c.written[p]
	c.written[p] = true
	return c.gradients[at.start : at.start+len(at.slab)], accumulate
}

func (c *compiler) emitForward() {
	for _, l := range c.layers {
		out := l.output()
		for _, in := range l.inputs() {
			out.needs = out.needs || in.needs
		}
		out.needs = c.opt.Stage != Inference && (out.needs || l.trains(c))
		out.buf = c.newBuffer(out.size, 0)
		l.forward(c, out.buf)
	}
}

func (c *compiler) emitBackward(logits *value, dlogits buffer) {
	c.inBackward = true
	c.hold(logits, dlogits)
	for i := len(c.layers) - 1; i >= 0; i-- {
		l := c.layers[i]
		out := l.output()
		if out.grad == none || !out.needs {
			continue
		}
		if _, ok := l.(*batchNormLayer); !ok {
			c.settle(out)
		}
		l.backward(c, out.grad)
		c.release(out)
	}
}

// read returns the buffer that holds a value at this point of the list. In the backward
// pass a cheap value is computed again the first time it is asked for.
func (c *compiler) read(v *value) buffer {
	again, ok := v.maker.(cheap)
	if !c.inBackward || c.opt.Activations == Kept || !ok || !again.recomputable() {
		return v.buf
	}
	if v.again == nil {
		b := c.newBuffer(v.size, 0)
		v.again = &b
		v.maker.forward(c, b)
	}
	return *v.again
}

// hold makes b the gradient of v.
func (c *compiler) hold(v *value, b buffer) {
	v.grad = b
	c.buffers[b].refs++
}

func (c *compiler) release(v *value) {
	c.buffers[v.grad].refs--
	v.grad = none
}

// exclusive reports whether only one gradient lives in b, so that it may be overwritten.
func (c *compiler) exclusive(b buffer) bool { return c.buffers[b].refs <= 1 }

// reusable returns dy if the step that reads it may write its result there, else none.
func (c *compiler) reusable(dy buffer) buffer {
	if c.exclusive(dy) {
		return dy
	}
	return none
}

// A contribution is one layer's part of the gradient of a value.
type contribution struct {
	c        *compiler
	v        *value
	dst, add buffer // the layer computes dst = its part (+ add unless that is none)
}

// contribute opens a contribution to the gradient of v; the layer emits the steps that
// compute dst and then calls done. dst is none if v needs no gradient. A layer whose kernels
// can add on the way says so with adds. inPlace is a buffer that the kernel may overwrite, or none.
func (c *compiler) contribute(v *value, adds bool, inPlace buffer) contribution {
	k := contribution{c: c, v: v, dst: none, add: none}
	if !v.needs {
		return k
	}
	c.settle(v)
	if v.grad != none && adds {
		k.add = v.grad
		if c.exclusive(v.grad) {
			k.dst = v.grad
			return k
		}
	}
	k.dst = inPlace
	if inPlace == none {
		k.dst = c.newBuffer(v.size, 0)
	}
	return k
}

// done makes the contribution part of the gradient.
func (k contribution) done() {
	switch {
	case k.dst == none || k.dst == k.v.grad:
	case k.v.grad == none:
		k.c.hold(k.v, k.dst)
	case k.v.grad == k.add:
		k.c.release(k.v)
		k.c.hold(k.v, k.dst)
	default:
		k.c.sum(k.v, k.dst)
	}
}

// pass makes dy itself a contribution to the gradient of v.
func (c *compiler) pass(v *value, dy buffer) {
	c.settle(v)
	switch {
	case !v.needs:
	case v.grad == none:
		c.hold(v, dy)
	default:
		c.sum(v, dy)
	}
}

// sum adds part to the gradient that v has.
func (c *compiler) sum(v *value, part buffer) {
	old, dst := v.grad, v.grad
	switch {
	case c.exclusive(old):
	case c.buffers[part].refs == 0:
		dst = part
	default:
		dst = c.newBuffer(v.size, 0)
	}
	add := kernels.NewAdd(kernels.ActNone)
	size := v.size
	c.emit(label{v.node, SumOfGradients}, []buffer{old, part}, []buffer{dst}, func(f *frame) {
		add.Forward(f.pool, f.n*size, f.at(dst), f.at(old), f.at(part))
	})
	if dst != old {
		c.release(v)
		c.hold(v, dst)
	}
}

// measureLives finds the first and last step that touches each buffer.
func (c *compiler) measureLives(forwardSteps int, p *Program) {
	touch := func(b buffer, at int) {
		if b < 0 {
			return
		}
		s := &c.buffers[b]
		if s.first < 0 {
			s.first = at
		}
		s.last = at
	}
	for at, s := range c.steps {
		for _, b := range s.reads {
			touch(b, at)
		}
		for _, b := range s.writes {
			touch(b, at)
		}
	}
	// The loss runs between the passes; what the caller reads stays to the end.
	if p.dlogits != none {
		c.buffers[p.dlogits].first = forwardSteps - 1
		touch(p.dlogits, len(c.steps)-1)
	}
	touch(p.features, len(c.steps)-1)
	touch(p.logits, len(c.steps)-1)
}
