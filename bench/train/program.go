package train

import (
	"fmt"
	"maps"
	"math"

	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/models/graph"
)

// Stage says what of a network a program trains.
type Stage int

// The stages of the published recipe, and plain use.
const (
	Inference      Stage = iota // evaluation mode, no gradients
	ClassifierOnly              // the backbone is frozen and in evaluation mode, its batch-norm statistics too
	Everything                  // training mode throughout
)

func (s Stage) String() string {
	switch s {
	case Inference:
		return "inference"
	case ClassifierOnly:
		return "classifier"
	case Everything:
		return "everything"
	}
	return fmt.Sprintf("Stage(%d)", int(s))
}

// Options of a program. The zero value compiles for inference, except for Batch.
type Options struct {
	Batch int    // the largest batch that the program will run
	Stage Stage  // what is trained
	Seed  uint64 // of the dropout masks
	Loss  Loss   // nil means CrossEntropy

	// Triplet is what features are trained for beside the loss of the logits; nothing while they aren't trained.
	Triplet Triplet

	Precision gemm.Precision // of the factors of convolutions' and linear layers' products

	NoDropout   bool        // dropout and stochastic depth do nothing
	Unfused     []string    // names of [Fusions] that are left out
	Activations Activations // whether to keep for the backward pass what could be computed again

	// Outputs are nodes of the graph whose results the caller reads, beside features and logits: see [Program.Output].
	// With any, nothing is fused, so that each is made as its node says.
	Outputs []*graph.Node
}

// Activations says what becomes of values that the backward pass needs and could compute
// again with one pass over memory. It changes memory and time, but no bit of the results.
type Activations int

// What becomes of them.
const (
	AsRoomAllows Activations = iota // kept if all activations then take at most roomy bytes
	Kept
	Recomputed
)

// roomy is what activations may take without anybody having asked to save memory.
const roomy = 8 << 30

// A Program is a compiled graph with its memory. It is used by one goroutine at a time;
// inside, the pool's workers share the work.
type Program struct {
	graph   *graph.Graph
	weights *Weights
	pool    *parallel.Pool
	options Options

	constants         []func(*frame) // compute the constants, in their order
	computedFor       uint64         // the version of the weights that the constants belong to
	forward, backward []step
	micro             micro
	memory            Memory

	profile          *Profile
	trace            *Trace
	watch            watch
	frame            frame
	features, logits buffer
	loss             batchLoss
	dlogits          buffer
	compared         buffer // features that have a loss of their own, none without
	dcompared        buffer
	outputs          map[*graph.Node]buffer // that were asked for
	fused            map[string]int
	images           []float32
	labels           []int32
	teacher          []float32
	gradients        []float32 // the parameters' slab, mirrored
}

// A step is one kernel call.
type step struct {
	label
	reads, writes []buffer
	run           func(*frame)
}

// frame is what a step sees while it runs.
type frame struct {
	pool      *parallel.Pool
	first     int    // sample of the batch that is in this micro-batch, 0 for a whole batch
	n         int    // samples in this batch or micro-batch
	iteration uint64 // of training, keys the dropout masks
	images    []float32
	image     int // floats
	buffers   []storage
	arena     []float32
	constants []float32
	ws        []float32 // the workspace
}

// at returns a buffer's floats for the current batch.
func (f *frame) at(b buffer) []float32 {
	switch b {
	case none:
		return nil
	case imageBuffer:
		return f.images[f.first*f.image:]
	}
	s := &f.buffers[b]
	size, offset := s.perSample*f.n+s.fixed, s.offset+s.apart*f.first
	if s.constant {
		return f.constants[offset : offset+size : offset+size]
	}
	return f.arena[offset : offset+size : offset+size]
}

// Memory is a program's planned memory in bytes.
type Memory struct {
	Activations int64 // forward values and gradients of values
	Workspace   int64 // scratch of the kernels
	Constants   int64 // what inference computes of the weights once
	Input       int64 // the batch of images
	Weights     int64 // parameters and running statistics, shared by programs
	Gradients   int64 // of the parameters
	Moments     int64 // Adam's two
}

// Total is the sum of all parts.
func (m Memory) Total() int64 {
	return m.Activations + m.Workspace + m.Constants + m.Input + m.Weights + m.Gradients + m.Moments
}

// Compile makes a program for g. The weights must have been made for the same graph.
func Compile(g *graph.Graph, w *Weights, pool *parallel.Pool, opt Options) (*Program, error) {
	p, err := compileInRoom(g, w, pool.Threads(), opt)
	if err != nil {
		return nil, err
	}
	p.pool = pool
	p.frame.pool = pool
	p.frame.arena = mem.Allocate(int(p.memory.Activations / 4))
	p.frame.ws = mem.Allocate(int(p.memory.Workspace / 4))
	p.frame.constants = mem.Allocate(int(p.memory.Constants / 4))
	p.images = mem.Allocate(opt.Batch * g.Input.Shape.Size())
	p.frame.images, p.frame.image = p.images, g.Input.Shape.Size()
	p.labels = make([]int32, opt.Batch)
	if opt.Stage != Inference {
		p.teacher = make([]float32, opt.Batch*g.Logits.Shape.C)
	}
	return p, nil
}

// compileInRoom decides whether activations are kept, where that is left open.
func compileInRoom(g *graph.Graph, w *Weights, threads int, opt Options) (*Program, error) {
	if opt.Activations != AsRoomAllows {
		return compile(g, w, threads, opt)
	}
	opt.Activations = Kept
	p, err := compile(g, w, threads, opt)
	if err == nil && p.memory.Activations > roomy {
		opt.Activations = Recomputed
		return compile(g, w, threads, opt)
	}
	return p, err
}

// Plan returns the memory that Compile would take, without taking it.
func Plan(g *graph.Graph, threads int, opt Options) (Memory, error) {
	p, err := compileInRoom(g, outline(g), threads, opt)
	if err != nil {
		return Memory{}, err
	}
	return p.memory, nil
}

// Batch is the largest batch that the program runs.
func (p *Program) Batch() int { return p.options.Batch }

// Memory is what the program takes.
func (p *Program) Memory() Memory { return p.memory }

// Fused is how often each of the [Fusions] was applied; those that were not are missing.
func (p *Program) Fused() map[string]int { return maps.Clone(p.fused) }

// Images is the input [Batch, H, W, 3], to be filled before a run.
func (p *Program) Images() []float32 { return p.images }

// Labels are the classes [Batch] of the images, to be filled before Train.
func (p *Program) Labels() []int32 { return p.labels }

// Teacher is where a distilling loss reads the teacher's logits [Batch, classes].
func (p *Program) Teacher() []float32 { return p.teacher }

// Forward runs the network on the first n images.
func (p *Program) Forward(n int) {
	p.start(n, 0)
	p.computeConstants()
	p.runForward(n)
}

// Train runs the network forward on the first n images, computes the loss and every
// gradient, and returns the loss. iteration, the number of the training step, keys the dropout masks.
// If it was cut short, the loss is NaN, gradients are undefined, and the weights are as before.
func (p *Program) Train(n int, iteration uint64) float64 {
	if p.options.Stage == Inference {
		panic("train: a program for inference can't train")
	}
	p.start(n, iteration)
	p.watch.keep(p.weights)
	p.weights.changed() // batch norms move the running statistics
	p.run(p.forward)
	if p.watch.cut {
		p.watch.restore(p.weights)
		return math.NaN()
	}
	classes, dlogits := p.graph.Logits.Shape.C, p.frame.at(p.dlogits)
	p.loss = batchLoss{
		Loss: p.options.Loss, n: n, classes: classes, logits: p.Logits(n), teacher: p.teacher, gradients: dlogits,
		labels: p.labels, parts: p.loss.parts,
	}
	loss := p.loss.run(p.pool)
	if p.dcompared != none {
		compared, dcompared := p.frame.at(p.compared), p.frame.at(p.dcompared)
		loss += p.options.Triplet.Gradient(n, p.graph.Compared.Shape.C, compared, p.labels[:n], dcompared)
	}
	p.run(p.backward)
	if p.watch.cut {
		p.watch.restore(p.weights)
		return math.NaN()
	}
	return loss
}

func (p *Program) start(n int, iteration uint64) {
	if n < 1 || n > p.options.Batch {
		panic(fmt.Sprintf("train: a batch of %d for a program of at most %d", n, p.options.Batch))
	}
	p.frame.n, p.frame.iteration = n, iteration
	p.watch.cut = false
}

func (p *Program) run(steps []step) {
	for i := range steps {
		if p.watch.ends() {
			return
		}
		if p.profile != nil {
			p.profile.run(&steps[i], &p.frame)
			continue
		}
		if p.trace != nil {
			p.trace.run(&steps[i], &p.frame)
			continue
		}
		steps[i].run(&p.frame)
	}
}

// Features is the embedding [n, features] of the last run, valid until the next.
func (p *Program) Features(n int) []float32 {
	return p.frame.at(p.features)[:n*p.graph.Features.Shape.C]
}

// Logits is the classifier's output [n, classes] of the last run, valid until the next.
func (p *Program) Logits(n int) []float32 {
	return p.frame.at(p.logits)[:n*p.graph.Logits.Shape.C]
}

// Output is what a node of [Options.Outputs] made in the last run, [n, H, W, C], valid until the next.
func (p *Program) Output(node *graph.Node, n int) []float32 {
	b, ok := p.outputs[node]
	if !ok {
		panic(fmt.Sprintf("train: the output of layer %q was not asked for", node.Name))
	}
	return p.frame.at(b)[:n*node.Shape.Size()]
}

// Correct counts the images among the first n of the last run whose most likely class is their label.
func (p *Program) Correct(n int) int {
	logits, classes, right := p.Logits(n), p.graph.Logits.Shape.C, 0
	for i := range n {
		if argmax(logits[i*classes:][:classes]) == int(p.labels[i]) {
			right++
		}
	}
	return right
}

// Gradient returns a copy of a parameter's gradient in the published order of elements.
func (p *Program) Gradient(name string) []float32 {
	place := p.weights.mustPlace(name)
	return published(place.param, place.of(p.gradients))
}
