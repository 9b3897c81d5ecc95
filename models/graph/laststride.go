package graph

// WithoutLastStride has the last stage of a convolutional network keep the resolution of the one before it (Luo et al.,
// CVPRW 2019, "Bag of Tricks and A Strong Baseline for Deep Person Re-identification", §3.4): convolutions and pools
// that make the smallest maps of larger ones get a stride of 1. No parameter changes. It reports whether the network
// has such a stride; one has none, and stays as it is, where these would not keep the size of their maps, or where what
// follows depends on it: tokens, windows, maps that are flattened, branches of other sizes.
func (b *Builder) WithoutLastStride() bool {
	if b.err != nil {
		return false
	}
	smallest := b.smallestMap()
	ops, shapes := make([]Op, len(b.g.Nodes)), make([]Shape, len(b.g.Nodes))
	changed := false
	for i, n := range b.g.Nodes {
		in := make([]Shape, len(n.Inputs))
		larger := false // than it was, some input
		for k, input := range n.Inputs {
			in[k] = shapes[input.ID]
			larger = larger || in[k] != input.Shape
		}
		ops[i] = n.Op
		if size(n.Shape) == smallest && !larger && len(n.Inputs) == 1 && size(n.Inputs[0].Shape) != smallest {
			op, ok := unstrided(n.Op)
			if !ok {
				return false
			}
			ops[i], changed = op, true
		}
		shape, err := ops[i].infer(in)
		if err != nil || larger && (shape.C != n.Shape.C || !ofAnySize(n.Op)) {
			return false
		}
		if ops[i] != n.Op && size(shape) != size(in[0]) {
			return false
		}
		shapes[i] = shape
	}
	if !changed {
		return false
	}
	for i, n := range b.g.Nodes {
		n.Op, n.Shape = ops[i], shapes[i]
	}
	return true
}

// smallestMap is the size of the smallest map that is no vector.
func (b *Builder) smallestMap() Size2 {
	smallest := b.g.Input.Shape
	for _, n := range b.g.Nodes {
		if p := n.Shape.Positions(); p > 1 && p < smallest.Positions() {
			smallest = n.Shape
		}
	}
	return size(smallest)
}

func size(s Shape) Size2 { return Size2{s.H, s.W} }

// unstrided is an operation with a stride of 1, if it has another.
func unstrided(op Op) (Op, bool) {
	switch o := op.(type) {
	case Conv:
		o.Stride = Square(1)
		return o, true
	case MaxPool:
		o.Stride = Square(1)
		return o, true
	case AvgPool:
		o.Stride = Square(1)
		return o, true
	}
	return op, false
}

// ofAnySize reports whether an operation does the same on maps of all sizes.
func ofAnySize(op Op) bool {
	switch op.(type) {
	case Conv, Linear, BatchNorm, LayerNorm, ChannelScale, Act, MaxPool, AvgPool, AdaptiveAvgPool, Add, Mul, Scale,
		Concat, Slice, Dropout, DropPath:
		return true
	}
	return false
}
