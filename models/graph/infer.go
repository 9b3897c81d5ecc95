package graph

import (
	"errors"
	"fmt"
)

func single(in []Shape) (Shape, error) {
	if len(in) != 1 {
		return Shape{}, fmt.Errorf("takes one input, got %d", len(in))
	}
	return in[0], nil
}

// unchanged is the inference of operations that keep their one input's shape.
func unchanged(in []Shape) (Shape, error) { return single(in) }

func (BatchNorm) infer(in []Shape) (Shape, error)    { return unchanged(in) }
func (LayerNorm) infer(in []Shape) (Shape, error)    { return unchanged(in) }
func (ChannelScale) infer(in []Shape) (Shape, error) { return unchanged(in) }
func (Position) infer(in []Shape) (Shape, error)     { return unchanged(in) }
func (Act) infer(in []Shape) (Shape, error)          { return unchanged(in) }
func (Scale) infer(in []Shape) (Shape, error)        { return unchanged(in) }
func (Softmax) infer(in []Shape) (Shape, error)      { return unchanged(in) }
func (Dropout) infer(in []Shape) (Shape, error)      { return unchanged(in) }
func (DropPath) infer(in []Shape) (Shape, error)     { return unchanged(in) }

func (i Input) infer(in []Shape) (Shape, error) {
	if len(in) != 0 {
		return Shape{}, errors.New("takes no input")
	}
	return i.Shape, nil
}

func (c Conv) infer(in []Shape) (Shape, error) {
	s, err := single(in)
	if err != nil {
		return s, err
	}
	groups := c.GroupCount()
	if s.C%groups != 0 || c.Out%groups != 0 {
		return s, fmt.Errorf("%d input and %d output channels do not divide into %d groups", s.C, c.Out, groups)
	}
	return window(s, c.Out, c.Kernel, c.Steps(), c.Pad, false)
}

func (p MaxPool) infer(in []Shape) (Shape, error) {
	s, err := single(in)
	if err != nil {
		return s, err
	}
	return window(s, s.C, p.Kernel, p.Steps(), p.Pad, p.Ceil)
}

func (p AvgPool) infer(in []Shape) (Shape, error) {
	s, err := single(in)
	if err != nil {
		return s, err
	}
	return window(s, s.C, p.Kernel, p.Steps(), p.Pad, p.Ceil)
}

// window is the output shape of a sliding window over s.
func window(s Shape, channels int, kernel, stride, pad Size2, ceil bool) (Shape, error) {
	if kernel.H < 1 || kernel.W < 1 || stride.H < 1 || stride.W < 1 || channels < 1 {
		return Shape{}, fmt.Errorf("kernel %v, stride %v and %d channels must be positive", kernel, stride, channels)
	}
	out := Shape{
		H: windows(s.H, kernel.H, stride.H, pad.H, ceil),
		W: windows(s.W, kernel.W, stride.W, pad.W, ceil),
		C: channels,
	}
	if out.H < 1 || out.W < 1 {
		return Shape{}, fmt.Errorf("a %v window with padding %v does not fit into %v", kernel, pad, s)
	}
	return out, nil
}

func windows(size, kernel, stride, pad int, ceil bool) int {
	span := size + 2*pad - kernel
	if span < 0 {
		return 0
	}
	n := span/stride + 1
	// As in PyTorch, a window that ceil mode adds must start inside the input or its left padding.
	if ceil && span%stride != 0 && n*stride < size+pad {
		n++
	}
	return n
}

func (l Linear) infer(in []Shape) (Shape, error) {
	s, err := single(in)
	if err == nil && l.Out < 1 {
		err = fmt.Errorf("%d outputs", l.Out)
	}
	s.C = l.Out
	return s, err
}

func (p AdaptiveAvgPool) infer(in []Shape) (Shape, error) {
	s, err := single(in)
	if err == nil && (p.Out.H < 1 || p.Out.W < 1) {
		err = fmt.Errorf("output size %v", p.Out)
	}
	return Shape{p.Out.H, p.Out.W, s.C}, err
}

func (ClassToken) infer(in []Shape) (Shape, error) {
	s, err := single(in)
	s.W++
	return s, err
}

func (w Windows) infer(in []Shape) (Shape, error) {
	s, err := single(in)
	if err != nil {
		return s, err
	}
	if w.Size.H < 1 || w.Size.W < 1 || s.H%w.Size.H != 0 || s.W%w.Size.W != 0 {
		return s, fmt.Errorf("%v does not divide into %v windows", s, w.Size)
	}
	return Shape{(s.H / w.Size.H) * (s.W / w.Size.W), w.Size.H * w.Size.W, s.C}, nil
}

func (PadToken) infer(in []Shape) (Shape, error) {
	s, err := single(in)
	s.W++
	return s, err
}

func (t Token) infer(in []Shape) (Shape, error) {
	s, err := single(in)
	if err == nil && (t.Index < 0 || t.Index >= s.W) {
		err = fmt.Errorf("token %d of %d", t.Index, s.W)
	}
	s.W = 1
	return s, err
}

func (Add) infer(in []Shape) (Shape, error) {
	if len(in) < 2 {
		return Shape{}, fmt.Errorf("takes two or more inputs, got %d", len(in))
	}
	for _, s := range in[1:] {
		if s != in[0] {
			return Shape{}, fmt.Errorf("shapes differ: %v and %v", in[0], s)
		}
	}
	return in[0], nil
}

func (Mul) infer(in []Shape) (Shape, error) {
	if len(in) != 2 {
		return Shape{}, fmt.Errorf("takes two inputs, got %d", len(in))
	}
	if in[1] != in[0] && in[1] != (Shape{1, 1, in[0].C}) {
		return Shape{}, fmt.Errorf("%v can't be multiplied by %v", in[0], in[1])
	}
	return in[0], nil
}

func (Concat) infer(in []Shape) (Shape, error) {
	if len(in) == 0 {
		return Shape{}, errors.New("takes one or more inputs")
	}
	out := in[0]
	for _, s := range in[1:] {
		if s.H != out.H || s.W != out.W {
			return Shape{}, fmt.Errorf("maps differ: %v and %v", in[0], s)
		}
		out.C += s.C
	}
	return out, nil
}

func (c Slice) infer(in []Shape) (Shape, error) {
	s, err := single(in)
	if err == nil && (c.From < 0 || c.From >= c.To || c.To > s.C) {
		err = fmt.Errorf("channels %d to %d of %d", c.From, c.To, s.C)
	}
	s.C = c.To - c.From
	return s, err
}

func (u Upsample) infer(in []Shape) (Shape, error) {
	s, err := single(in)
	if err == nil && u.Factor < 1 {
		err = fmt.Errorf("factor %d", u.Factor)
	}
	return Shape{s.H * u.Factor, s.W * u.Factor, s.C}, err
}

func (Flatten) infer(in []Shape) (Shape, error) {
	s, err := single(in)
	return Shape{1, 1, s.Size()}, err
}

func (r Reshape) infer(in []Shape) (Shape, error) {
	s, err := single(in)
	if err == nil && s.Size() != r.To.Size() {
		err = fmt.Errorf("%v has %d elements, %v has %d", s, s.Size(), r.To, r.To.Size())
	}
	return r.To, err
}

func (a Attention) infer(in []Shape) (Shape, error) {
	if len(in) != 1 && len(in) != 2 {
		return Shape{}, fmt.Errorf("takes qkv, or qk and v; got %d inputs", len(in))
	}
	out, width := in[0], 0
	if len(in) == 1 {
		width, out.C = in[0].C/3, in[0].C/3
	} else {
		width, out = in[0].C/2, in[1]
	}
	switch {
	case len(in) == 1 && in[0].C%3 != 0, len(in) == 2 && in[0].C%2 != 0:
		return out, fmt.Errorf("%d channels don't divide into q and k (and v)", in[0].C)
	case in[0].H != out.H || in[0].W != out.W:
		return out, fmt.Errorf("qk and v have different tokens: %v, %v", in[0], out)
	case a.Heads < 1 || width%a.Heads != 0 || out.C != width:
		return out, fmt.Errorf("%d and %d channels do not divide into %d equal heads", width, out.C, a.Heads)
	}
	return out, nil
}

func (m MatMul) infer(in []Shape) (Shape, error) {
	if len(in) != 2 {
		return Shape{}, fmt.Errorf("takes two inputs, got %d", len(in))
	}
	a, b := in[0], in[1]
	if m.TransposeA {
		a.W, a.C = a.C, a.W
	}
	if m.TransposeB {
		b.W, b.C = b.C, b.W
	}
	if a.H != b.H || a.C != b.W {
		return Shape{}, fmt.Errorf("%v does not multiply %v", a, b)
	}
	return Shape{a.H, a.W, b.C}, nil
}
