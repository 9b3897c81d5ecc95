// Package act answers what an activation is: its scalar definition, a [Kind] as PyTorch defines it, and the vectors
// that [Apply] and [Backward] compute with it.
//
// The vectors stay within a few units in the last place of the definition.
package act

import (
	"fmt"
	"math"
)

// Kind is an activation function.
type Kind int

// The activations, defined as PyTorch defines them.
const (
	None        Kind = iota // x
	ReLU                    // max(x, 0)
	ReLU6                   // min(max(x, 0), 6)
	SiLU                    // x·σ(x)
	GELU                    // x·Φ(x), Φ the normal distribution (erf form)
	Sigmoid                 // σ(x) = 1/(1+exp(-x))
	HardSigmoid             // min(max(x+3, 0), 6)/6
	HardSwish               // x·min(max(x+3, 0), 6)/6
	Tanh                    // tanh(x)
)

var names = [...]string{"none", "relu", "relu6", "silu", "gelu", "sigmoid", "hardsigmoid", "hardswish", "tanh"}

// String returns the activation's lower-case name.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(names) {
		return fmt.Sprintf("Kind(%d)", int(k))
	}
	return names[k]
}

// Eval returns act(x).
func (k Kind) Eval(x float64) float64 {
	switch k {
	case None:
		return x
	case ReLU:
		return math.Max(x, 0)
	case ReLU6:
		return clamp(x, 0, 6)
	case SiLU:
		return x * sigmoid(x)
	case GELU:
		return x * normalCDF(x)
	case Sigmoid:
		return sigmoid(x)
	case HardSigmoid:
		return clamp(x+3, 0, 6) / 6
	case HardSwish:
		return x * clamp(x+3, 0, 6) / 6
	case Tanh:
		return math.Tanh(x)
	}
	panic("act: no such activation: " + k.String())
}

// Slope returns the derivative act'(x), with PyTorch's choice at the kinks.
func (k Kind) Slope(x float64) float64 {
	switch k {
	case None:
		return 1
	case ReLU:
		return indicator(x > 0)
	case ReLU6:
		return indicator(x > 0 && x < 6)
	case SiLU:
		s := sigmoid(x)
		return s * (1 + x*(1-s))
	case GELU:
		return normalCDF(x) + x*math.Exp(-x*x/2)/math.Sqrt(2*math.Pi)
	case Sigmoid:
		s := sigmoid(x)
		return s * (1 - s)
	case HardSigmoid:
		return indicator(x > -3 && x < 3) / 6
	case HardSwish:
		switch {
		case x <= -3:
			return 0
		case x >= 3:
			return 1
		}
		return x/3 + 0.5
	case Tanh:
		t := math.Tanh(x)
		return 1 - t*t
	}
	panic("act: no such activation: " + k.String())
}

// Bounds returns lo and hi if the activation is min(max(x, lo), hi) with slope 1 in between and 0 outside.
func (k Kind) Bounds() (lo, hi float32, ok bool) {
	inf := float32(math.Inf(1))
	switch k {
	case None:
		return -inf, inf, true
	case ReLU:
		return 0, inf, true
	case ReLU6:
		return 0, 6, true
	}
	return 0, 0, false
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func normalCDF(x float64) float64 { return 0.5 * math.Erfc(-x/math.Sqrt2) }

func clamp(x, lo, hi float64) float64 { return math.Min(math.Max(x, lo), hi) }

func indicator(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
