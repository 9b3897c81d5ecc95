package train

import (
	"fmt"
	"slices"

	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/models/graph"
)

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
	constants  []func(*frame)
	workspace  int
	inBackward bool
	batch      int                   // of the layer that emits its forward steps
	written    map[*graph.Param]bool // gradients that hold something already
	gradients  []float32
	frozen     map[*graph.Node]bool // nodes that run in evaluation mode
	beforeNorm []bool               // nodes, by ID, that only batch norms read
	uses       [][]*graph.Node      // the nodes that read each node, by ID

	microLayers int    // the first layers, which are computed in micro-batches
	folded      buffer // folded weights until they are packed
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
	if len(opt.Outputs) > 0 {
		opt.Unfused = Fusions()
	}
	if opt.Loss == nil {
		opt.Loss = CrossEntropy{}
	}
	c := &compiler{
		graph: g, weights: w, opt: opt, threads: threads,
		values: map[*graph.Node]*value{}, written: map[*graph.Param]bool{}, frozen: map[*graph.Node]bool{},
		beforeNorm: g.BeforeNorm(), uses: g.Uses(), folded: none,
	}
	c.freeze()
	if err := c.lower(); err != nil {
		return nil, fmt.Errorf("compiling %s: %w", g.Name, err)
	}
	fused, err := c.fuse()
	if err != nil {
		return nil, fmt.Errorf("compiling %s: %w", g.Name, err)
	}
	p := &Program{
		graph: g, weights: w, options: opt, fused: fused, features: none, dlogits: none, compared: none,
		dcompared: none,
	}
	if opt.Stage != Inference {
		c.gradients = mem.Allocate(len(w.parameters))
		p.gradients = c.gradients
	}

	features, compared, logits := c.values[g.Features], c.values[g.Compared], c.values[g.Logits]
	microSteps := c.emitForward()
	forwardSteps := len(c.steps)
	p.features, p.logits = features.buf, logits.buf
	p.outputs = map[*graph.Node]buffer{}
	for _, n := range opt.Outputs {
		v := c.values[n]
		if v == nil {
			return nil, fmt.Errorf("compiling %s: layer %q is none of its layers", g.Name, n.Name)
		}
		p.outputs[n] = v.buf
	}
	if opt.Stage != Inference {
		if !logits.needs {
			return nil, fmt.Errorf("compiling %s: nothing to train", g.Name)
		}
		p.dlogits = c.newBuffer(logits.size, 0)
		c.hold(logits, p.dlogits)
		if opt.Triplet != (Triplet{}) && compared.needs {
			p.compared, p.dcompared = compared.buf, c.newBuffer(compared.size, 0)
			c.hold(compared, p.dcompared)
		}
		c.emitBackward()
		c.emitFixed()
	}
	p.forward, p.backward = c.steps[:forwardSteps:forwardSteps], c.steps[forwardSteps:]
	p.micro = micro{microSteps, c.batchOf(0)}

	c.measureLives(forwardSteps, p)
	c.sizeBuffers(microSteps)
	floats := placeBuffers(c.buffers)
	p.constants = c.constants
	constants := placeConstants(c.buffers)
	p.frame.buffers = c.buffers
	p.memory = Memory{
		Activations: 4 * int64(floats),
		Workspace:   4 * int64(c.workspace),
		Constants:   4 * int64(constants),
		Input:       4 * int64(opt.Batch*g.Input.Shape.Size()),
		Weights:     4 * int64(slabFloats(g.Params)+slabFloats(g.Buffers)),
	}
	if opt.Stage != Inference {
		p.memory.Gradients = 4 * int64(slabFloats(g.Params))
		p.memory.Moments = 2 * p.memory.Gradients
	}
	return p, nil
}

// freeze marks the nodes that run in evaluation mode: all of them for inference, and those that lead to the features
// while only the classifier trains.
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

// scratch makes sure that the workspace is large enough for a step.
func (c *compiler) scratch(floats int) { c.workspace = max(c.workspace, floats) }

// parameterGradient returns where a parameter's gradient goes and whether it must be added to what an earlier call of
// the same module has put there.
func (c *compiler) parameterGradient(p *graph.Param) (slab []float32, accumulate bool) {
	accumulate = c.written[p]
	c.written[p] = true
	return c.weights.mustPlace(p.Name).of(c.gradients), accumulate
}

// emitForward returns how many steps, the first ones, are for micro-batches.
func (c *compiler) emitForward() (microSteps int) {
	for i, l := range c.layers {
		c.batch = c.batchOf(i)
		out := l.output()
		if out.buf == none {
			out.buf = c.newBuffer(out.size, 0)
		}
		l.forward(c, out.buf)
		if i < c.microLayers {
			microSteps = len(c.steps)
		}
	}
	return microSteps
}

// emitBackward takes the gradients that losses begin with, which are held, back to the parameters.
func (c *compiler) emitBackward() {
	c.inBackward = true
	for _, l := range slices.Backward(c.layers) {
		if out := l.output(); out.needs {
			l.backward(c, out.grad)
			c.release(out)
		}
	}
}

// emitFixed has the parameters that stay as they are no gradient.
func (c *compiler) emitFixed() {
	for _, p := range c.graph.Params {
		if p.Fixed && c.written[p] {
			gradient := c.weights.mustPlace(p.Name).of(c.gradients)
			c.emit(label{p.Owner, WeightGradient}, nil, nil, func(*frame) { clear(gradient) })
		}
	}
}

// read returns the buffer that holds a value at this point of the list. In the backward pass a cheap value is computed
// again the first time it is asked for.
func (c *compiler) read(v *value) buffer {
	maker, ok := v.maker.(cheap)
	if !c.inBackward || c.opt.Activations == Kept || !ok || !maker.recomputable() {
		return v.buf
	}
	if v.again == none {
		v.again = c.newBuffer(v.size, 0)
		maker.recompute(c, v.again)
	}
	return v.again
}

// measureLives finds the first and last step that touches each buffer.
func (c *compiler) measureLives(forwardSteps int, p *Program) {
	touch := func(b buffer, step int) {
		if b < 0 {
			return
		}
		s := &c.buffers[b]
		if s.constant {
			return
		}
		if s.first < 0 {
			s.first = step
		}
		s.last = step
	}
	for i, s := range c.steps {
		for _, b := range s.reads {
			touch(b, i)
		}
		for _, b := range s.writes {
			touch(b, i)
		}
	}
	// The loss runs between the passes; what the caller reads stays to the end.
	if p.dlogits != none {
		c.buffers[p.dlogits].first = forwardSteps - 1
		touch(p.dlogits, len(c.steps)-1)
	}
	if p.dcompared != none {
		c.buffers[p.dcompared].first = forwardSteps - 1
		touch(p.compared, len(c.steps)-1)
	}
	touch(p.features, len(c.steps)-1)
	touch(p.logits, len(c.steps)-1)
	for _, b := range p.outputs {
		touch(b, len(c.steps)-1)
	}
}
