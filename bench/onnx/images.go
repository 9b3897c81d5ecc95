package onnx

import (
	"fmt"
	"math"
	"strconv"

	"github.com/reidbench/reidbench/models/graph"
)

// Images say how the network wants to see images: (x/255 − Mean) / Std of R, G and B.
type Images struct {
	Mean, Std [3]float32
	Turned    bool // by 180°, which the model does by itself in any case
}

// images makes the model's input.
func (t *translation) images(o Options) {
	const name = "images"
	t.layer = name
	s := t.graph.Input.Shape
	t.model.Input = Value{Name: name, Type: Float32, Dims: []int{Batch, s.C, s.H, s.W}, Doc: instructions(s, o)}
	x := name
	if o.Normalise {
		t.model.Input.Type, t.model.Input.Dims = Uint8, []int{Batch, s.H, s.W, s.C}
		// In the order in which batches are normalised everywhere else here, which decides about the last bit.
		x = t.add("Cast", []string{x}, attribute{"to", int(Float32)})
		x = t.add("Div", []string{x, t.scalar(255)})
		x = t.add("Sub", []string{x, t.channels("images/mean", o.Images.Mean)})
		x = t.add("Div", []string{x, t.channels("images/std", o.Images.Std)})
		x = t.transpose(x, 0, 3, 1, 2)
	}
	if o.Images.Turned {
		back := t.integers(-1, -1)
		x = t.add("Slice", []string{x, back, t.integers(math.MinInt64, math.MinInt64), t.integers(2, 3), back})
	}
	t.set(t.graph.Input, first, x)
}

// channels is a constant of a number per channel.
func (t *translation) channels(name string, values [3]float32) string {
	return t.floats(name, []int{3}, func() []float32 { return values[:] })
}

// instructions say how to make an image fit.
func instructions(s graph.Shape, o Options) string {
	size := fmt.Sprintf("RGB, resized to %d×%d (height × width) as Pillow's BILINEAR does, which averages where it "+
		"shrinks", s.H, s.W)
	if o.Normalise {
		return size + "; bytes, channels last; the model normalises them"
	}
	return size + fmt.Sprintf("; (x/255 - mean) / std with mean %s and std %s, channels first", list(o.Images.Mean),
		list(o.Images.Std))
}

// list is the shortest text of numbers that reads back as they are.
func list(values [3]float32) string {
	text := ""
	for i, v := range values {
		if i > 0 {
			text += ","
		}
		text += strconv.FormatFloat(float64(v), 'g', -1, 32)
	}
	return text
}

// metadata is what a program needs to use the model.
func metadata(g *graph.Graph, o Options) []Entry {
	by := "caller"
	if o.Normalise {
		by = "model"
	}
	return []Entry{
		{"embedding_size", strconv.Itoa(g.Features.Shape.C)},
		{"image_height", strconv.Itoa(g.Input.Shape.H)},
		{"image_width", strconv.Itoa(g.Input.Shape.W)},
		{"channel_order", "RGB"},
		{"mean", list(o.Images.Mean)},
		{"std", list(o.Images.Std)},
		{"normalised_by", by},
		{"preprocessing", instructions(g.Input.Shape, o)},
	}
}
