package graph

import (
	"errors"
	"fmt"
)

// A Builder makes a Graph, layer by layer. Its methods are named after the layers; name is the module's path as
// published checkpoints spell it, and the layers' parameters are called after it.
//
// The first mistake is remembered and returned by Graph; later calls do nothing.
type Builder struct {
	g       Graph
	modules map[string]*Node // the owner of each module's name
	params  map[string]bool
	sharing bool
	err     error

	compared *Node // the features before a neck, nil without one
}

// NewBuilder starts a graph for images of the given shape.
func NewBuilder(name string, input Shape) *Builder {
	b := &Builder{g: Graph{Name: name}, modules: map[string]*Node{}, params: map[string]bool{}}
	b.g.Input = b.node("input", Input{input})
	return b
}

// Input is the image.
func (b *Builder) Input() *Node { return b.g.Input }

// Graph returns the finished graph, or the first mistake. features is the embedding, [1, 1, C];
// logits, also a vector, is the output of the classifier, which must be a linear layer.
func (b *Builder) Graph(features, logits *Node) (*Graph, error) {
	if b.err != nil {
		return nil, fmt.Errorf("building %s: %w", b.g.Name, b.err)
	}
	if _, ok := logits.Op.(Linear); !ok || !logits.Shape.IsVector() || !features.Shape.IsVector() {
		return nil, fmt.Errorf("building %s: features and logits must be vectors and the logits a linear layer's",
			b.g.Name)
	}
	b.g.Features, b.g.Logits, b.g.Classifier = features, logits, logits
	if b.g.Compared = b.compared; b.compared == nil {
		b.g.Compared = features
	}
	return &b.g, nil
}

// Shared runs layers in which modules that exist already are called again with the parameters that they have. Elsewhere
// a name that occurs twice is a mistake.
func (b *Builder) Shared(layers func() *Node) *Node {
	outer := b.sharing
	b.sharing = true
	defer func() { b.sharing = outer }()
	return layers()
}

func (b *Builder) fail(name string, err error) *Node {
	if b.err == nil {
		b.err = fmt.Errorf("layer %q: %w", name, err)
	}
	return &Node{Name: name, Shape: Shape{1, 1, 1}, Op: Reshape{}}
}

// node appends one call of a layer; the methods below give it its parameters with own.
func (b *Builder) node(module string, op Op, inputs ...*Node) *Node {
	if b.err != nil {
		return &Node{Name: module, Shape: Shape{1, 1, 1}, Op: op}
	}
	shapes := make([]Shape, len(inputs))
	for i, in := range inputs {
		shapes[i] = in.Shape
	}
	shape, err := op.infer(shapes)
	if err != nil {
		return b.fail(module, fmt.Errorf("%v: %w", op, err))
	}
	n := &Node{ID: len(b.g.Nodes), Name: module, Module: module, Op: op, Inputs: inputs, Shape: shape}
	if first, ok := b.modules[module]; ok {
		if !b.sharing {
			return b.fail(module, errors.New("the name is taken"))
		}
		if first.Op != op {
			return b.fail(module, fmt.Errorf("shared as %v, but it is %v", op, first.Op))
		}
		n.Name = b.nextCall(module)
		n.Params, n.Buffers = first.Params, first.Buffers
	} else {
		b.modules[module] = n
	}
	b.g.Nodes = append(b.g.Nodes, n)
	return n
}

func (b *Builder) nextCall(module string) string {
	calls := 1
	for _, n := range b.g.Nodes {
		if n.Module == module {
			calls++
		}
	}
	return fmt.Sprintf("%s#%d", module, calls)
}

// own gives a node its next parameter. A later call of a shared module has the first call's
// parameters already; their shapes must be the same.
func (b *Builder) own(n *Node, index int, name string, role Role, init Init, shape ...int) {
	if b.err != nil {
		return
	}
	list, all := &n.Params, &b.g.Params
	if role == RunningMean || role == RunningVar {
		list, all = &n.Buffers, &b.g.Buffers
	}
	if index < len(*list) {
		p := (*list)[index]
		if fmt.Sprint(p.Shape) != fmt.Sprint(shape) {
			b.fail(n.Name, fmt.Errorf("shared parameter %s is %v, not %v", p.Name, p.Shape, shape))
		}
		return
	}
	if b.params[name] {
		b.fail(n.Name, fmt.Errorf("two parameters are called %s", name))
		return
	}
	b.params[name] = true
	p := &Param{Name: name, Shape: shape, Role: role, Owner: n, Init: init}
	*list, *all = append(*list, p), append(*all, p)
}

// Conv appends a convolution.
func (b *Builder) Conv(name string, x *Node, op Conv) *Node {
	n := b.node(name, op, x)
	b.own(n, 0, name+".weight", Weight, Init{Kind: KaimingNormal}, op.Out, x.Shape.C/op.GroupCount(), op.Kernel.H,
		op.Kernel.W)
	if op.Bias {
		b.own(n, 1, name+".bias", Bias, Init{}, op.Out)
	}
	return n
}

// Linear appends a linear layer with a bias.
func (b *Builder) Linear(name string, x *Node, out int) *Node {
	return b.LinearOp(name, x, Linear{Out: out, Bias: true})
}

// LinearOp appends a linear layer.
func (b *Builder) LinearOp(name string, x *Node, op Linear) *Node {
	n := b.node(name, op, x)
	b.own(n, 0, name+".weight", Weight, Init{Kind: FanInUniform}, op.Out, x.Shape.C)
	if op.Bias {
		b.own(n, 1, name+".bias", Bias, Init{}, op.Out)
	}
	return n
}

// BatchNorm appends a batch norm with PyTorch's defaults, eps 1e-5 and momentum 0.1.
func (b *Builder) BatchNorm(name string, x *Node) *Node {
	return b.BatchNormOp(name, x, BatchNorm{Eps: 1e-5, Momentum: 0.1})
}

// BatchNormOp appends a batch norm.
func (b *Builder) BatchNormOp(name string, x *Node, op BatchNorm) *Node {
	n := b.node(name, op, x)
	c := x.Shape.C
	b.own(n, 0, name+".weight", NormWeight, Init{Value: 1}, c)
	b.own(n, 1, name+".bias", NormBias, Init{}, c)
	b.own(n, 0, name+".running_mean", RunningMean, Init{}, c)
	b.own(n, 1, name+".running_var", RunningVar, Init{Value: 1}, c)
	return n
}

// LayerNorm appends a layer norm over the channels.
func (b *Builder) LayerNorm(name string, x *Node, eps float64) *Node {
	n := b.node(name, LayerNorm{eps}, x)
	b.own(n, 0, name+".weight", NormWeight, Init{Value: 1}, x.Shape.C)
	b.own(n, 1, name+".bias", NormBias, Init{}, x.Shape.C)
	return n
}

// ChannelScale appends a layer scale; its parameter has the name itself and the given published
// shape, which must hold C elements.
func (b *Builder) ChannelScale(name string, x *Node, init float64, shape ...int) *Node {
	n := b.node(name, ChannelScale{init}, x)
	b.own(n, 0, name, Embedding, Init{Value: init}, shape...)
	return n
}

// ClassToken puts a learned token first; its parameter has the name itself.
func (b *Builder) ClassToken(name string, x *Node) *Node {
	n := b.node(name, ClassToken{}, x)
	b.own(n, 0, name, Embedding, Init{Kind: TruncatedNormal, Value: 0.02}, 1, 1, x.Shape.C)
	return n
}

// Position adds a learned embedding to the tokens; its parameter has the name itself.
func (b *Builder) Position(name string, x *Node) *Node {
	n := b.node(name, Position{}, x)
	b.own(n, 0, name, Embedding, Init{Kind: TruncatedNormal, Value: 0.02}, 1, x.Shape.W, x.Shape.C)
	return n
}

// PixelPosition adds a learned embedding to tokens that are the pixels of a window; its parameter has the name itself
// and is published as a map, channels first.
func (b *Builder) PixelPosition(name string, x *Node, window Size2) *Node {
	if window.H*window.W != x.Shape.W {
		return b.fail(name, fmt.Errorf("%d tokens are not the pixels of a %v window", x.Shape.W, window))
	}
	n := b.node(name, Position{}, x)
	b.own(n, 0, name, Embedding, Init{Kind: TruncatedNormal, Value: 0.02}, 1, x.Shape.C, window.H, window.W)
	return n
}

// Op appends a layer without parameters.
func (b *Builder) Op(name string, op Op, inputs ...*Node) *Node {
	switch op.(type) {
	case Conv, Linear, BatchNorm, LayerNorm, ChannelScale, ClassToken, Position, Input:
		return b.fail(name, fmt.Errorf("%v has a method of its own", op))
	}
	return b.node(name, op, inputs...)
}

// Act appends an activation.
func (b *Builder) Act(name string, x *Node, f Activation) *Node { return b.Op(name, Act{f}, x) }

// ReLU appends a ReLU.
func (b *Builder) ReLU(name string, x *Node) *Node { return b.Act(name, x, ReLU) }

// GlobalAvgPool appends an AdaptiveAvgPool2d(1) module.
func (b *Builder) GlobalAvgPool(name string, x *Node) *Node {
	return b.Op(name, AdaptiveAvgPool{Out: Square(1)}, x)
}

// Add appends a sum.
func (b *Builder) Add(name string, inputs ...*Node) *Node { return b.Op(name, Add{}, inputs...) }
