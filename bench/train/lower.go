package train

import (
	"fmt"
	"slices"

	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/move"
	"github.com/reidbench/reidbench/kernels/norm"
	"github.com/reidbench/reidbench/kernels/pointwise"
	"github.com/reidbench/reidbench/kernels/pooling"
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
	if c.opt.Stage != Inference {
		c.values[c.graph.Compared].result = true
	}
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

var activations = map[graph.Activation]act.Kind{
	graph.Identity:    act.None,
	graph.ReLU:        act.ReLU,
	graph.ReLU6:       act.ReLU6,
	graph.SiLU:        act.SiLU,
	graph.GELU:        act.GELU,
	graph.Sigmoid:     act.Sigmoid,
	graph.HardSigmoid: act.HardSigmoid,
	graph.HardSwish:   act.HardSwish,
	graph.Tanh:        act.Tanh,
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
		return &layerNormLayer{base: b, kernel: norm.NewLayerNorm(n.Shape.C, float32(op.Eps))}, nil
	case graph.Act:
		return newActLayer(b, op.Func)
	case graph.MaxPool:
		s := poolShape(in, op.Kernel, op.Steps(), op.Pad, op.Ceil)
		return &maxPoolLayer{base: b, kernel: pooling.NewMax(s)}, nil
	case graph.AvgPool:
		s := poolShape(in, op.Kernel, op.Steps(), op.Pad, op.Ceil)
		return &avgPoolLayer{mapLayer: mapLayer{b, pooling.NewAvg(s, !op.ExcludePad)}}, nil
	case graph.AdaptiveAvgPool:
		kernel := pooling.NewAdaptiveAvg(in.H, in.W, in.C, op.Out.H, op.Out.W)
		return &avgPoolLayer{mapLayer: mapLayer{b, kernel}, global: op.Out == graph.Square(1)}, nil
	case graph.Add:
		return &addLayer{base: b}, nil
	case graph.Mul:
		if n.Inputs[1].Shape == in {
			return &productLayer{base: b, kernel: pointwise.NewMul()}, nil
		}
		return &gateLayer{base: b, kernel: pointwise.NewChannelGate(n.Shape.Positions(), n.Shape.C)}, nil
	case graph.Scale:
		return &scaleLayer{base: b, kernel: pointwise.NewScale(float32(op.Factor))}, nil
	case graph.ChannelScale:
		return &channelScaleLayer{base: b, kernel: pointwise.NewChannelScale(n.Shape.C)}, nil
	case graph.Concat:
		return &concatLayer{base: b}, nil
	case graph.Slice:
		return &sliceLayer{base: b, from: op.From}, nil
	case graph.Upsample:
		return &mapLayer{base: b, kernel: move.NewUpsample(in.H, in.W, in.C, op.Factor)}, nil
	case graph.Dropout, graph.DropPath:
		return c.newDropoutLayer(b), nil
	case graph.Flatten:
		if in.IsVector() {
			return nil, nil
		}
		return &mapLayer{base: b, kernel: move.NewFlatten(in.H, in.W, in.C)}, nil
	case graph.Windows:
		return &mapLayer{base: b, kernel: move.NewWindows(in.H, in.W, in.C, op.Size.H, op.Size.W)}, nil
	case graph.PadToken:
		return &padTokenLayer{base: b}, nil
	case graph.ClassToken:
		return &classTokenLayer{base: b, kernel: move.NewTokens(in.W, n.Shape.C)}, nil
	case graph.Position:
		return &positionLayer{base: b, kernel: move.NewTokens(n.Shape.W, n.Shape.C)}, nil
	case graph.Token:
		return &tokenLayer{base: b, kernel: move.NewTokens(in.W, n.Shape.C), index: op.Index}, nil
	case graph.Attention:
		return newAttentionLayer(b, c.opt.Precision), nil
	case graph.MatMul:
		return newMatMulLayer(b, op), nil
	case graph.Softmax:
		return newSoftmaxLayer(b, op), nil
	}
	return nil, fmt.Errorf("unknown operation %v", n.Op)
}
