package graph

import "fmt"

// An Op is what a node does. The set is closed: an operation that a consumer of the graph does not know is an error
// there, never a silent zero.
type Op interface {
	fmt.Stringer
	// infer returns the output shape, or why the inputs do not fit.
	infer(in []Shape) (Shape, error)
}

// Activation names an element-wise function, as PyTorch defines it.
type Activation string

// The activations in use.
const (
	Identity    Activation = ""
	ReLU        Activation = "ReLU"
	ReLU6       Activation = "ReLU6"
	SiLU        Activation = "SiLU"
	GELU        Activation = "GELU" // the exact, erf form
	Sigmoid     Activation = "Sigmoid"
	HardSigmoid Activation = "Hardsigmoid"
	HardSwish   Activation = "Hardswish"
	Tanh        Activation = "Tanh"
)

// Layers with parameters. A node's Params are, in this order, those named here.
type (
	// Conv is a 2-D cross-correlation. Params: weight [Out, C/Groups, KH, KW], bias [Out] if Bias.
	Conv struct {
		Out                 int
		Kernel, Stride, Pad Size2 // zero Stride means 1
		Groups              int   // zero means 1
		Bias                bool
	}

	// Linear maps the channels of every position. Params: weight [Out, C], bias [Out] if Bias.
	Linear struct {
		Out  int
		Bias bool
	}

	// BatchNorm normalises every channel over batch and positions. Params: weight [C], bias [C]. Buffers: running_mean
	// [C], running_var [C].
	BatchNorm struct{ Eps, Momentum float64 }

	// LayerNorm normalises the channels of every position. Params: weight [C], bias [C].
	LayerNorm struct{ Eps float64 }

	// ChannelScale multiplies every channel by a learned factor (layer scale). Params: one [C] tensor.
	ChannelScale struct{ Init float64 }

	// ClassToken puts one learned token before the tokens of each sequence. Params: one [1, 1, C] tensor.
	ClassToken struct{}

	// Position adds a learned embedding to the tokens of each sequence. Params: one tensor, [1, W, C],
	// or [1, C, h, w] where the W tokens are the pixels of an h×w window.
	Position struct{}
)

// Layers without parameters.
type (
	// Input is the image batch.
	Input struct{ Shape Shape }

	// Act applies a function to every element.
	Act struct{ Func Activation }

	// MaxPool takes the maximum over windows.
	MaxPool struct {
		Kernel, Stride, Pad Size2
		Ceil                bool // round the output size up
	}

	// AvgPool takes the mean over windows.
	AvgPool struct {
		Kernel, Stride, Pad Size2
		Ceil                bool
		ExcludePad          bool // divide by the number of real pixels only
	}

	// AdaptiveAvgPool takes means over windows that tile the map to Out positions. Functional marks a mean that the
	// published network computes outside a pooling module; the published counting does not see it.
	AdaptiveAvgPool struct {
		Out        Size2
		Functional bool
	}

	// Add sums inputs of one shape.
	Add struct{}

	// Mul multiplies two inputs, of one shape or the second a vector per channel (a gate).
	Mul struct{}

	// Scale multiplies by a constant.
	Scale struct{ Factor float64 }

	// Concat joins inputs along the channels.
	Concat struct{}

	// Slice takes the channels From to To.
	Slice struct{ From, To int }

	// Upsample repeats every pixel Factor×Factor times (nearest neighbour).
	Upsample struct{ Factor int }

	// Dropout zeroes elements with probability P in training and scales the rest by 1/(1-P).
	Dropout struct{ P float64 }

	// DropPath zeroes whole samples with probability P in training and scales the rest by 1/(1-P)
	// (stochastic depth, Huang et al. 2016, in torchvision's "row" mode).
	DropPath struct{ P float64 }

	// Flatten makes a vector of a map, channel by channel, as PyTorch's flatten of NCHW does.
	Flatten struct{}

	// Reshape reads the same numbers, in their order in memory, as another shape.
	Reshape struct{ To Shape }

	// Windows cuts a map into windows of Size pixels that do not overlap and makes a sequence of the
	// pixels of each: {H, W, C} becomes {H/h·W/w, h·w, C}, windows and pixels in rows.
	Windows struct{ Size Size2 }

	// PadToken puts a token of zeros before the tokens of each sequence.
	PadToken struct{}

	// Token selects one token of each sequence.
	Token struct{ Index int }

	// Attention is multi-head scaled dot-product attention within each sequence: softmax(q·kᵀ/√d)·v. One input holds q,
	// k and v side by side in the channels; two inputs hold q and k, and v. Heads divide each of them evenly.
	Attention struct{ Heads int }

	// MatMul multiplies, for each of the H matrices of a sample, the [W, C] matrices of its two
	// inputs, each transposed first if so marked, and scales the product by Scale (zero means 1).
	MatMul struct {
		TransposeA, TransposeB bool
		Scale                  float64
	}

	// Softmax normalises exponentials over the channels, or over the W tokens if OverTokens.
	Softmax struct{ OverTokens bool }
)

// Size2 is a height and a width.
type Size2 struct{ H, W int }

// Square is {n, n}.
func Square(n int) Size2 { return Size2{n, n} }

func (s Size2) String() string {
	if s.H == s.W {
		return fmt.Sprint(s.H)
	}
	return fmt.Sprintf("%d×%d", s.H, s.W)
}

func (s Size2) orOne() Size2 {
	if s == (Size2{}) {
		return Square(1)
	}
	return s
}

// Steps is the stride with its default filled in.
func (c Conv) Steps() Size2 { return c.Stride.orOne() }

// GroupCount is the number of groups with its default filled in.
func (c Conv) GroupCount() int { return max(c.Groups, 1) }

// Steps is the stride; like PyTorch's pooling it defaults to the kernel.
func (p MaxPool) Steps() Size2 { return stepsOr(p.Stride, p.Kernel) }

// Steps is the stride; like PyTorch's pooling it defaults to the kernel.
func (p AvgPool) Steps() Size2 { return stepsOr(p.Stride, p.Kernel) }

func stepsOr(stride, kernel Size2) Size2 {
	if stride == (Size2{}) {
		return kernel
	}
	return stride
}

// Factor is the scale with its default filled in.
func (m MatMul) Factor() float64 {
	if m.Scale == 0 {
		return 1
	}
	return m.Scale
}

func (c Conv) String() string {
	s := fmt.Sprintf("Conv2d %v", c.Kernel)
	if c.Steps() != Square(1) {
		s += fmt.Sprintf(" s%v", c.Steps())
	}
	if c.Pad != (Size2{}) {
		s += fmt.Sprintf(" p%v", c.Pad)
	}
	if c.GroupCount() > 1 {
		s += fmt.Sprintf(" g%d", c.Groups)
	}
	return s
}

func (p MaxPool) String() string         { return fmt.Sprintf("MaxPool2d %v s%v", p.Kernel, p.Steps()) }
func (p AvgPool) String() string         { return fmt.Sprintf("AvgPool2d %v s%v", p.Kernel, p.Steps()) }
func (p AdaptiveAvgPool) String() string { return fmt.Sprintf("AdaptiveAvgPool2d %v", p.Out) }
func (a Act) String() string             { return string(a.Func) }
func (d Dropout) String() string         { return fmt.Sprintf("Dropout %g", d.P) }
func (d DropPath) String() string        { return fmt.Sprintf("DropPath %.3g", d.P) }
func (s Scale) String() string           { return fmt.Sprintf("Scale %g", s.Factor) }
func (s Slice) String() string           { return fmt.Sprintf("Slice %d:%d", s.From, s.To) }
func (u Upsample) String() string        { return fmt.Sprintf("Upsample ×%d", u.Factor) }
func (w Windows) String() string         { return fmt.Sprintf("Windows %v", w.Size) }
func (t Token) String() string           { return fmt.Sprintf("Token %d", t.Index) }
func (a Attention) String() string       { return fmt.Sprintf("Attention %d heads", a.Heads) }

func (Input) String() string        { return "Input" }
func (Linear) String() string       { return "Linear" }
func (BatchNorm) String() string    { return "BatchNorm" }
func (LayerNorm) String() string    { return "LayerNorm" }
func (ChannelScale) String() string { return "LayerScale" }
func (ClassToken) String() string   { return "ClassToken" }
func (PadToken) String() string     { return "PadToken" }
func (Position) String() string     { return "PositionEmbedding" }
func (Add) String() string          { return "Add" }
func (Mul) String() string          { return "Mul" }
func (Concat) String() string       { return "Concat" }
func (Flatten) String() string      { return "Flatten" }
func (Reshape) String() string      { return "Reshape" }
func (MatMul) String() string       { return "MatMul" }
func (Softmax) String() string      { return "Softmax" }
