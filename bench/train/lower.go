package train

import (
	"fmt"
	"slices"

	"github.com/reidbench/reidbench/kernels"
	"github.com/reidbench/reidbench/models/graph"
)

// lower makes a layer of every node that does something.
func (c *compiler) lower() error {
	image := newValue(c.graph.Input, nil)
	image.buf = imageBuffer
	c.values[c.graph.Input] = image
	for _, n := range c.graph.Nodes[1:] {
		l, err := c.newLayer(n)
		if err != nil {
			return fmt.Errorf("layer %q: %w", n.Name, err)
		}
		if l == nil {
			c.values[n] = c.values[n.Inputs[0]]
			continue
		}
		out := newValue(n, l)
		l.setOutput(out)
		c.values[n] = out
		c.layers = append(c.layers, l)
	}
	c.values[c.graph.Features].result, c.values[c.graph.Logits].result = true, true
	c.findReaders()
	c.findNeeds()
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

// findNeeds marks the values that a gradient must reach: the logits depend on them, and they on what is trained.
func (c *compiler) findNeeds() {
	if c.opt.Stage == Inference {
		return
	}
	for _, l := range c.layers {
		l.output().needs = l.trains(c) || slices.ContainsFunc(l.inputs(), func(in *value) bool { return in.needs })
	}
	used := map[*value]bool{c.values[c.graph.Logits]: true}
	for _, l := range slices.Backward(c.layers) {
		out := l.output()
		out.needs = out.needs && used[out]
		for _, in := range l.inputs() {
			used[in] = used[in] || used[out]
		}
	}
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

// newLayer returns the layer of a node, nil if the node only renames or reshapes what it reads.
func (c *compiler) newLayer(n *graph.Node) (layer, error) {
	b := base{node: n}
	for _, in := range n.Inputs {
		b.in = append(b.in, c.values[in])
	}
	in := n.Inputs[0].Shape
	switch op := n.Op.(type) {
	case graph.Reshape:
		return nil, nil
	case graph.Conv, graph.Linear:
		return c.newConvLayer(b)
	case graph.BatchNorm:
		return newBatchNormLayer(b, c.frozen[n]), nil
	case graph.LayerNorm:
		return &layerNormLayer{base: b, kernel: kernels.NewLayerNorm(n.Shape.C, float32(op.Eps))}, nil
	case graph.Act:
		return newActLayer(b, op.Func)
	case graph.MaxPool:
		s := poolShape(in, op.Kernel, op.Steps(), op.Pad, op.Ceil)
		return &maxPoolLayer{base: b, kernel: kernels.NewMaxPool(s)}, nil
	case graph.AvgPool:
		s := poolShape(in, op.Kernel, op.Steps(), op.Pad, op.Ceil)
		return &avgPoolLayer{mapLayer: mapLayer{b, kernels.NewAvgPool(s, !op.ExcludePad)}}, nil
	case graph.AdaptiveAvgPool:
		kernel := kernels.NewAdaptiveAvgPool(in.H, in.W, in.C, op.Out.H, op.Out.W)
		return &avgPoolLayer{mapLayer: mapLayer{b, kernel}, global: op.Out == graph.Square(1)}, nil
	case graph.Add:
		return &addLayer{base: b}, nil
	case graph.Mul:
		if n.Inputs[1].Shape == in {
			return &productLayer{base: b, kernel: kernels.NewMul()}, nil
		}
		return &gateLayer{base: b, kernel: kernels.NewChannelGate(n.Shape.Positions(), n.Shape.C)}, nil
	case graph.Scale:
		return &scaleLayer{base: b, kernel: kernels.NewScale(float32(op.Factor))}, nil
	case graph.ChannelScale:
		return &channelScaleLayer{base: b, kernel: kernels.NewChannelScale(n.Shape.C)}, nil
	case graph.Concat:
		return &concatLayer{base: b}, nil
	case graph.Slice:
		return &sliceLayer{base: b, from: op.From}, nil
	case graph.Upsample:
		return &mapLayer{base: b, kernel: kernels.NewUpsample(in.H, in.W, in.C, op.Factor)}, nil
	case graph.Dropout, graph.DropPath:
		return c.newDropoutLayer(b), nil
	case graph.Flatten:
		if in.IsVector() {
			return nil, nil
		}
		return &mapLayer{base: b, kernel: kernels.NewFlatten(in.H, in.W, in.C)}, nil
	case graph.Windows:
		return &mapLayer{base: b, kernel: kernels.NewWindows(in.H, in.W, in.C, op.Size.H, op.Size.W)}, nil
	case graph.PadToken:
		return &padTokenLayer{base: b}, nil
	case graph.ClassToken:
		return &classTokenLayer{base: b, kernel: kernels.NewTokens(in.W, n.Shape.C)}, nil
	case graph.Position:
		return &positionLayer{base: b, kernel: kernels.NewTokens(n.Shape.W, n.Shape.C)}, nil
	case graph.Token:
		return &tokenLayer{base: b, kernel: kernels.NewTokens(in.W, n.Shape.C), index: op.Index}, nil
	case graph.Attention:
		return newAttentionLayer(b, c.opt.Precision), nil
	case graph.MatMul:
		return newMatMulLayer(b, op), nil
	case graph.Softmax:
		return newSoftmaxLayer(b, op), nil
	}
	return nil, fmt.Errorf("unknown operation %v", n.Op)
}
