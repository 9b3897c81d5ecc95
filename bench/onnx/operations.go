package onnx

import (
	"fmt"
	"math"

	"github.com/reidbench/reidbench/models/graph"
)

// translate appends the operations of a node.
func (t *translation) translate(n *graph.Node) error {
	if t.folded[n] {
		t.same(n, n.Inputs[0])
		return nil
	}
	switch op := n.Op.(type) {
	case graph.Dropout, graph.DropPath:
		t.same(n, n.Inputs[0])
	case graph.Conv:
		t.conv(n, op)
	case graph.Linear:
		t.linear(n)
	case graph.BatchNorm:
		t.batchNorm(n, op)
	case graph.LayerNorm:
		t.layerNorm(n, op)
	case graph.ChannelScale:
		t.channelScale(n)
	case graph.ClassToken:
		t.classToken(n)
	case graph.PadToken:
		t.padToken(n)
	case graph.Position:
		t.position(n)
	case graph.Token:
		t.token(n, op)
	case graph.Act:
		return t.activation(n, op.Func)
	case graph.MaxPool:
		t.maxPool(n, op)
	case graph.AvgPool:
		t.avgPool(n, op)
	case graph.AdaptiveAvgPool:
		t.adaptiveAvgPool(n, op)
	case graph.Add:
		t.sum(n)
	case graph.Mul:
		t.product(n)
	case graph.Scale:
		at := t.layoutOf(n.Inputs...)
		t.set(n, at, t.add("Mul", []string{t.read(n.Inputs[0], at), t.scalar(float32(op.Factor))}))
	case graph.Concat:
		t.concat(n)
	case graph.Slice:
		at := t.layoutOf(n.Inputs...)
		bounds := []string{t.integers(op.From), t.integers(op.To), t.integers(channelAxis(at))}
		t.set(n, at, t.add("Slice", append([]string{t.read(n.Inputs[0], at)}, bounds...)))
	case graph.Upsample:
		t.upsample(n, op)
	case graph.Flatten:
		t.flatten(n)
	case graph.Reshape:
		t.set(n, last, t.reshape(t.read(n.Inputs[0], last), dims(n.Shape)...))
	case graph.Windows:
		t.windows(n, op)
	case graph.Attention:
		t.attention(n, op)
	case graph.MatMul:
		t.matMul(n, op)
	case graph.Softmax:
		t.softmax(n, op)
	default:
		return fmt.Errorf("unknown operation %v", n.Op)
	}
	return nil
}

// channelAxis is the axis of the channels.
func channelAxis(at layout) int {
	if at == first {
		return 1
	}
	return -1
}

// activation appends a function of every element.
func (t *translation) activation(n *graph.Node, f graph.Activation) error {
	at := t.layoutOf(n.Inputs...)
	x := t.read(n.Inputs[0], at)
	var y string
	switch f {
	case graph.Identity:
		t.same(n, n.Inputs[0])
		return nil
	case graph.ReLU, graph.Sigmoid, graph.Tanh:
		y = t.add(map[graph.Activation]string{
			graph.ReLU: "Relu", graph.Sigmoid: "Sigmoid", graph.Tanh: "Tanh",
		}[f], []string{x})
	case graph.ReLU6:
		y = t.add("Clip", []string{x, t.scalar(0), t.scalar(6)})
	case graph.SiLU:
		y = t.add("Mul", []string{x, t.add("Sigmoid", []string{x})})
	case graph.GELU: // ½·x·(1 + erf(x/√2)), in the form that runtimes know: the operator Gelu came with version 20
		y = t.add("Erf", []string{t.add("Div", []string{x, t.scalar(math.Sqrt2)})})
		y = t.add("Mul", []string{x, t.add("Add", []string{y, t.scalar(1)})})
		y = t.add("Mul", []string{y, t.scalar(0.5)})
	case graph.HardSigmoid:
		y = t.add("HardSigmoid", []string{x}, attribute{"alpha", float32(1.0 / 6)}, attribute{"beta", float32(0.5)})
	case graph.HardSwish:
		y = t.add("HardSwish", []string{x})
	default:
		return fmt.Errorf("unknown activation %q", f)
	}
	t.set(n, at, y)
	return nil
}

// sum appends additions, from the left.
func (t *translation) sum(n *graph.Node) {
	at := t.layoutOf(n.Inputs...)
	y := t.read(n.Inputs[0], at)
	for _, in := range n.Inputs[1:] {
		y = t.add("Add", []string{y, t.read(in, at)})
	}
	t.set(n, at, y)
}

// product appends a product of two values of one shape, or of a value and a vector per channel.
func (t *translation) product(n *graph.Node) {
	x, factor := n.Inputs[0], n.Inputs[1]
	if x.Shape == factor.Shape {
		at := t.layoutOf(x, factor)
		t.set(n, at, t.add("Mul", []string{t.read(x, at), t.read(factor, at)}))
		return
	}
	at := t.layoutOf(x)
	gate := t.read(factor, at)
	if at == last {
		ones := make([]int, len(dims(x.Shape))-1)
		for i := range ones {
			ones[i] = 1
		}
		gate = t.reshape(gate, append(ones, factor.Shape.C)...)
	}
	t.set(n, at, t.add("Mul", []string{t.read(x, at), gate}))
}

func (t *translation) concat(n *graph.Node) {
	at := t.layoutOf(n.Inputs...)
	var parts []string
	for _, in := range n.Inputs {
		parts = append(parts, t.read(in, at))
	}
	t.set(n, at, t.add("Concat", parts, attribute{"axis", channelAxis(at)}))
}

// upsample appends a Resize that repeats pixels.
func (t *translation) upsample(n *graph.Node, op graph.Upsample) {
	factor := float32(op.Factor)
	scales := t.floats(fmt.Sprintf("constant/scales/%d", op.Factor), []int{4}, func() []float32 {
		return []float32{1, 1, factor, factor}
	})
	t.set(n, first, t.add("Resize", []string{t.read(n.Inputs[0], first), "", scales}, attribute{"mode", "nearest"},
		attribute{"coordinate_transformation_mode", "asymmetric"}, attribute{"nearest_mode", "floor"}))
}

// flatten appends what makes a vector of a map, channel by channel.
func (t *translation) flatten(n *graph.Node) {
	if n.Inputs[0].Shape.IsVector() {
		t.same(n, n.Inputs[0])
		return
	}
	t.set(n, last, t.add("Flatten", []string{t.read(n.Inputs[0], first)}, attribute{"axis", 1}))
}

// windows appends what makes a sequence of the pixels of each window.
func (t *translation) windows(n *graph.Node, op graph.Windows) {
	in, h, w := n.Inputs[0].Shape, op.Size.H, op.Size.W
	cut := t.reshape(t.read(n.Inputs[0], last), in.H/h, h, in.W/w, w, in.C)
	t.set(n, last, t.reshape(t.transpose(cut, 0, 1, 3, 2, 4, 5), dims(n.Shape)...))
}
