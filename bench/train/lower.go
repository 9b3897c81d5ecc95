package train

import (
	"fmt"

	"github.com/reidbench/reidbench/kernels"
	"github.com/reidbench/reidbench/models/graph"
)

// A chain is a run of nodes that one layer does: a head, then the sum with a residual, then
// an activation; the last two may be missing.
type chain struct {
	nodes    []*graph.Node
	residual *graph.Node // what is added, nil if nothing is
	act      graph.Activation
}

func (ch *chain) last() *graph.Node { return ch.nodes[len(ch.nodes)-1] }

// lower makes the layers, in the order of their last nodes.
func (c *compiler) lower() error {
	c.values[c.graph.Input] = &value{size: c.graph.Input.Shape.Size(), node: c.graph.Input, buf: imageBuffer, grad: none}
	chains := map[*graph.Node]*chain{}
	if !c.opt.NoFusion {
		chains = c.chains()
	}
	for _, n := range c.graph.Nodes[1:] {
		ch := chains[n]
		if ch == nil {
			ch = &chain{nodes: []*graph.Node{n}}
		}
		if n != ch.last() {
			continue
		}
		if err := c.lowerChain(ch); err != nil {
			return fmt.Errorf("layer %q: %w", n.Name, err)
		}
	}
	c.findReaders()
	if !c.opt.NoFusion {
		c.dissolve()
	}
	return nil
}

// findReaders sets the readers of all values.
func (c *compiler) findReaders() {
	c.values[c.graph.Input].readers = nil
	for _, l := range c.layers {
		l.output().readers = nil
	}
	for _, l := range c.layers {
		for _, in := range l.inputs() {
			in.readers = append(in.readers, l)
		}
	}
}

// chains finds what can be fused, by member. A node whose output is read from outside, or
// twice, ends its chain.
func (c *compiler) chains() map[*graph.Node]*chain {
	member := map[*graph.Node]*chain{}
	uses := c.graph.Uses()
	next := func(n *graph.Node) *graph.Node {
		if len(uses[n.ID]) != 1 || n == c.graph.Features || member[uses[n.ID][0]] != nil {
			return nil
		}
		return uses[n.ID][0]
	}
	for _, n := range c.graph.Nodes {
		if member[n] != nil {
			continue
		}
		adds, anyAct := false, false
		switch n.Op.(type) {
		case graph.BatchNorm:
			adds, anyAct = true, true
		case graph.Conv, graph.Linear:
			adds = true
		case graph.Add:
		default:
			continue
		}
		ch := &chain{nodes: []*graph.Node{n}}
		if sum := next(n); adds && sum != nil && isPairSum(sum) {
			ch.residual = sum.Inputs[0]
			if ch.residual == n {
				ch.residual = sum.Inputs[1]
			}
			ch.nodes = append(ch.nodes, sum)
		}
		if act := next(ch.last()); act != nil {
			if op, ok := act.Op.(graph.Act); ok && (anyAct || op.Func == graph.ReLU) {
				ch.act = op.Func
				ch.nodes = append(ch.nodes, act)
			}
		}
		for _, m := range ch.nodes {
			member[m] = ch
		}
	}
	return member
}

func isPairSum(n *graph.Node) bool {
	_, ok := n.Op.(graph.Add)
	return ok && len(n.Inputs) == 2 && n.Inputs[0] != n.Inputs[1]
}

var activations = map[graph.Activation]kernels.Act{
	graph.Identity:    kernels.ActNone,
	graph.ReLU:        kernels.ActReLU,
	graph.ReLU6:       kernels.ActReLU6,
	graph.SiLU:        kernels.ActSiLU,
	graph.GELU:        kernels.ActGELU,
	graph.Sigmoid:     kernels.ActSigmoid,
	graph.HardSigmoid: kernels.ActHardSigmoid,
	graph.HardSwish:   kernels.ActHardSwish,
	graph.Tanh:        kernels.ActTanh,
}

// part is what every layer is built on.
type part struct {
	at  *graph.Node
	in  []*value
	out *value
}

func (p *part) node() *graph.Node       { return p.at }
func (p *part) output() *value          { return p.out }
func (p *part) setOutput(v *value)      { p.out = v }
func (p *part) inputs() []*value        { return p.in }
func (p *part) trains(*compiler) bool   { return false }
func (p *part) positions() int          { return p.at.Shape.Positions() }
func (p *part) inputShape() graph.Shape { return p.at.Inputs[0].Shape }
func (p *part) step(phase Phase) label  { return label{p.at, phase} }

func (c *compiler) lowerChain(ch *chain) error {
	n := ch.nodes[0]
	p := part{at: n}
	for _, in := range n.Inputs {
		p.in = append(p.in, c.values[in])
	}
	act, ok := activations[ch.act]
	if !ok {
		return fmt.Errorf("unknown activation %q", ch.act)
	}
	var residual *value
	if ch.residual != nil {
		residual = c.values[ch.residual]
		p.in = append(p.in, residual)
	}

	var l layer
	var err error
	switch op := n.Op.(type) {
	case graph.Reshape:
		c.values[n] = p.in[0]
		return nil
	case graph.Conv, graph.Linear:
		l, err = c.newConvLayer(p, residual, act)
	case graph.BatchNorm:
		l = newBatchNormLayer(p, op, residual, act, c.frozen[n], !c.opt.NoFusion)
	case graph.LayerNorm:
		l = &layerNormLayer{part: p, kernel: kernels.NewLayerNorm(n.Shape.C, float32(op.Eps))}
	case graph.Act:
		act, ok := activations[op.Func]
		if !ok {
			return fmt.Errorf("unknown activation %q", op.Func)
		}
		l = &actLayer{part: p, kernel: kernels.NewActivation(act)}
	case graph.MaxPool:
		l = &maxPoolLayer{part: p, kernel: kernels.NewMaxPool(poolShape(n.Inputs[0].Shape, op.Kernel, op.Steps(), op.Pad, op.Ceil))}
	case graph.AvgPool:
		l = &avgPoolLayer{part: p, kernel: kernels.NewAvgPool(poolShape(n.Inputs[0].Shape, op.Kernel, op.Steps(), op.Pad, op.Ceil), !op.ExcludePad)}
	case graph.AdaptiveAvgPool:
		s := n.Inputs[0].Shape
		l = &avgPoolLayer{part: p, kernel: kernels.NewAdaptiveAvgPool(s.H, s.W, s.C, op.Out.H, op.Out.W), mean: op.Out == graph.Square(1)}
	case graph.Add:
		l = &addLayer{part: p, act: act}
	case graph.Mul:
		if n.Inputs[1].Shape == n.Inputs[0].Shape {
			l = &productLayer{part: p, kernel: kernels.NewMul()}
		} else {
			l = &gateLayer{part: p, kernel: kernels.NewChannelGate(n.Shape.Positions(), n.Shape.C)}
		}
	case graph.Scale:
		l = &scaleLayer{part: p, kernel: kernels.NewScale(float32(op.Factor))}
	case graph.ChannelScale:
		l = &channelScaleLayer{part: p, kernel: kernels.NewChannelScale(n.Shape.C)}
	case graph.Concat:
		l = &concatLayer{part: p}
	case graph.Slice:
		l = &sliceLayer{part: p, from: op.From}
	case graph.Upsample:
		s := n.Inputs[0].Shape
		l = &upsampleLayer{part: p, kernel: kernels.NewUpsample(s.H, s.W, s.C, op.Factor)}
	case graph.Dropout, graph.DropPath:
		l = c.newDropout(p)
		if l == nil {
			c.values[n] = p.in[0]
			return nil
		}
	case graph.Flatten:
		s := n.Inputs[0].Shape
		if s.IsVector() {
			c.values[n] = p.in[0]
			return nil
		}
		l = &flattenLayer{part: p, kernel: kernels.NewFlatten(s.H, s.W, s.C)}
	case graph.Windows:
		s := n.Inputs[0].Shape
		l = &windowsLayer{part: p, kernel: kernels.NewWindows(s.H, s.W, s.C, op.Size.H, op.Size.W)}
	case graph.PadToken:
		l = &padTokenLayer{part: p}
	case graph.ClassToken:
		l = &classTokenLayer{part: p, kernel: kernels.NewTokens(n.Inputs[0].Shape.W, n.Shape.C)}
	case graph.Position:
		l = &positionLayer{part: p, kernel: kernels.NewTokens(n.Shape.W, n.Shape.C)}
	case graph.Token:
		l = &tokenLayer{part: p, kernel: kernels.NewTokens(n.Inputs[0].Shape.W, n.Shape.C), index: op.Index}
	case graph.Attention:
		l = newAttentionLayer(p, c.opt.Precision)
	case graph.MatMul:
		l = newMatMulLayer(p, op)
	case graph.Softmax:
		l = newSoftmaxLayer(p, op)
	default:
		return fmt.Errorf("unknown operation %v", op)
	}
	if err != nil {
		return err
	}
	l.setOutput(&value{size: n.Shape.Size(), node: n, maker: l, buf: none, grad: none})
	c.layers = append(c.layers, l)
	for _, m := range ch.nodes {
		c.values[m] = l.output()
	}
	return nil
}
