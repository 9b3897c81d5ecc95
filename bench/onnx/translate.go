package onnx

import (
	"fmt"
	"slices"
	"strings"

	"github.com/reidbench/reidbench/models/graph"
)

// Weights are the values of a network's tensors. Those of bench/train have them.
type Weights interface {
	// Get returns a tensor's values in the published order of elements.
	Get(name string) []float32
	// Folded returns the weight and the bias of a layer with those after it folded into them.
	Folded(n *graph.Node, after []*graph.Node) (weight, bias []float32)
}

// Options say what a model takes, and how it is written.
type Options struct {
	Images        Images
	Normalise     bool // it takes the bytes of images, [batch, H, W, 3], and normalises them
	KeepBatchNorm bool // batch norms and channel scales after convolutions stay operations of their own
	Producer      Producer
	Metadata      []Entry // before what New adds
}

// New translates what leads to the features of a graph. It reads the weights when the model is written. An operation
// that it does not know is an error.
func New(g *graph.Graph, w Weights, o Options) (*Model, error) {
	t := &translation{
		graph: g, weights: w, model: &Model{Name: g.Name, Producer: o.Producer},
		values: map[*graph.Node]*value{}, folds: map[*graph.Node][]*graph.Node{}, folded: map[*graph.Node]bool{},
		names: map[string]int{}, tensors: map[string]*tensor{},
	}
	if !o.KeepBatchNorm {
		t.folds = g.Folds()
		for _, after := range t.folds {
			for _, n := range after {
				t.folded[n] = true
			}
		}
	}
	t.images(o)
	needed := leadsTo(g.Features)
	for _, n := range g.Nodes[1:] {
		if !needed[n] {
			continue
		}
		t.layer = n.Name
		if err := t.translate(n); err != nil {
			return nil, fmt.Errorf("%s as ONNX: layer %q: %w", g.Name, n.Name, err)
		}
	}
	t.embeddings()
	t.model.Metadata = append(slices.Clone(o.Metadata), metadata(g, o)...)
	return t.model, nil
}

// leadsTo are the nodes that a node's output depends on, itself among them.
func leadsTo(n *graph.Node) map[*graph.Node]bool {
	needed := map[*graph.Node]bool{}
	var mark func(*graph.Node)
	mark = func(n *graph.Node) {
		if !needed[n] {
			needed[n] = true
			for _, in := range n.Inputs {
				mark(in)
			}
		}
	}
	mark(n)
	return needed
}

// A layout is where the channels of a value are.
type layout int

const (
	first layout = iota // [batch, C, H, W], as the operators of convolutions and pools take them
	last                // [batch, C] of a vector, [batch, W, C] of one sequence, else [batch, H, W, C]
)

// A value is the output of a layer, under the names that it has in one layout or in both; "": not yet.
type value struct {
	layer string
	shape graph.Shape
	names [2]string
}

// translation is what New knows on its way.
type translation struct {
	graph   *graph.Graph
	weights Weights
	model   *Model
	values  map[*graph.Node]*value
	folds   map[*graph.Node][]*graph.Node // into the weights of these
	folded  map[*graph.Node]bool          // these nothing is left of

	layer   string         // that nodes and constants are called after
	names   map[string]int // of nodes, and how often they were asked for
	tensors map[string]*tensor
}

// add appends an operation and returns the name of its output, which is its own: layer1.0.conv1/Conv.
func (t *translation) add(operator string, inputs []string, attributes ...attribute) string {
	return t.addAll(operator, inputs, 1, attributes...)[0]
}

// addAll appends an operation of several outputs.
func (t *translation) addAll(operator string, inputs []string, outputs int, attributes ...attribute) []string {
	name := t.layer + "/" + operator
	t.names[name]++
	if n := t.names[name]; n > 1 {
		name = fmt.Sprintf("%s#%d", name, n)
	}
	n := &node{name: name, operator: operator, inputs: inputs, attributes: attributes, outputs: []string{name}}
	for i := 1; i < outputs; i++ {
		n.outputs = append(n.outputs, fmt.Sprintf("%s:%d", name, i))
	}
	t.model.nodes = append(t.model.nodes, n)
	return n.outputs
}

// set says what a node's output is, in a layout.
func (t *translation) set(n *graph.Node, at layout, name string) {
	v := &value{layer: n.Name, shape: n.Shape}
	v.names[at] = name
	t.values[n] = v
}

// same says that a node's output is that of another.
func (t *translation) same(n, as *graph.Node) { t.values[n] = t.values[as] }

// has reports whether a node's output is there in a layout.
func (t *translation) has(n *graph.Node, at layout) bool { return t.values[n].names[at] != "" }

// layoutOf is the layout of values that go together: channels first if one of them is there so.
func (t *translation) layoutOf(nodes ...*graph.Node) layout {
	if slices.ContainsFunc(nodes, func(n *graph.Node) bool { return t.has(n, first) }) {
		return first
	}
	return last
}

// read is the name of a node's output in a layout.
func (t *translation) read(n *graph.Node, at layout) string {
	v := t.values[n]
	if v.names[at] != "" {
		return v.names[at]
	}
	reader := t.layer
	t.layer = v.layer
	defer func() { t.layer = reader }()
	s, name := v.shape, v.names[1-at]
	switch {
	case s.IsVector() && at == last:
		name = t.add("Flatten", []string{name}, attribute{"axis", 1})
	case s.IsVector():
		name = t.reshape(name, s.C, 1, 1)
	case at == last:
		name = t.transpose(name, 0, 2, 3, 1)
		if s.H == 1 {
			name = t.reshape(name, s.W, s.C)
		}
	default:
		if s.H == 1 {
			name = t.reshape(name, 1, s.W, s.C)
		}
		name = t.transpose(name, 0, 3, 1, 2)
	}
	v.names[at] = name
	return name
}

// dims are the dimensions of a value after the batch, with the channels last.
func dims(s graph.Shape) []int {
	if s.IsVector() {
		return []int{s.C}
	}
	return matrixDims(s)
}

// matrixDims are those where a vector is a sequence of one token.
func matrixDims(s graph.Shape) []int {
	if s.H == 1 {
		return []int{s.W, s.C}
	}
	return []int{s.H, s.W, s.C}
}

// matrix is the name of a node's output as matrices [W, C], one per sample and sequence.
func (t *translation) matrix(n *graph.Node) string {
	name := t.read(n, last)
	if n.Shape.IsVector() {
		return t.reshape(name, matrixDims(n.Shape)...)
	}
	return name
}

// setMatrix is set with such matrices.
func (t *translation) setMatrix(n *graph.Node, name string) {
	if n.Shape.IsVector() {
		name = t.reshape(name, n.Shape.C)
	}
	t.set(n, last, name)
}

// reshape appends a Reshape that keeps the batch.
func (t *translation) reshape(name string, to ...int) string {
	return t.add("Reshape", []string{name, t.integers(append([]int{0}, to...)...)})
}

func (t *translation) transpose(name string, order ...int) string {
	return t.add("Transpose", []string{name}, attribute{"perm", order})
}

// tensor returns the name of a constant, which is the wanted one unless that has another shape already.
func (t *translation) tensor(name string, kind Type, shape []int, bytes func() []byte) string {
	for other := 2; ; other++ {
		there, taken := t.tensors[name]
		if !taken {
			break
		}
		if slices.Equal(there.dims, shape) {
			return name
		}
		name = fmt.Sprintf("%s#%d", strings.TrimSuffix(name, fmt.Sprintf("#%d", other-1)), other)
	}
	made := &tensor{name: name, kind: kind, dims: shape, bytes: bytes}
	t.tensors[name] = made
	t.model.tensors = append(t.model.tensors, made)
	return name
}

// floats is a constant.
func (t *translation) floats(name string, shape []int, values func() []float32) string {
	return t.tensor(name, Float32, shape, func() []byte { return floatBytes(values()) })
}

// parameter is a tensor of the network under its name, in a shape with as many elements in the published order.
func (t *translation) parameter(p *graph.Param, shape ...int) string {
	return t.floats(p.Name, shape, func() []float32 { return t.weights.Get(p.Name) })
}

// scalar is a number.
func (t *translation) scalar(v float32) string {
	return t.floats(fmt.Sprintf("constant/%g", v), nil, func() []float32 { return []float32{v} })
}

// integers is a list of numbers.
func (t *translation) integers(values ...int) string {
	return t.tensor("constant/"+strings.ReplaceAll(fmt.Sprint(values), " ", ","), Int64, []int{len(values)},
		func() []byte { return integerBytes(values) })
}

// index is a whole number.
func (t *translation) index(v int) string {
	return t.tensor(fmt.Sprintf("constant/index/%d", v), Int64, nil, func() []byte { return integerBytes([]int{v}) })
}

// embeddings makes the features the model's output.
func (t *translation) embeddings() {
	const name = "embeddings"
	t.layer = name
	features := t.read(t.graph.Features, last)
	for _, n := range t.model.nodes {
		for _, list := range [][]string{n.inputs, n.outputs} {
			for i := range list {
				if list[i] == features {
					list[i] = name
				}
			}
		}
	}
	t.model.Output = Value{
		Name: name, Type: Float32, Dims: []int{Batch, t.graph.Features.Shape.C},
		Doc: "the features of each image",
	}
}
