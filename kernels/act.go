package kernels

import (
	"fmt"
	"math"
)

// Act is an activation function.
type Act int

// The activations, defined as PyTorch defines them.
const (
	ActNone        Act = iota // x
	ActReLU                   // max(x, 0)
	ActReLU6                  // min(max(x, 0), 6)
	ActSiLU                   // x·σ(x)
	ActGELU                   // x·Φ(x), Φ the normal distribution (erf form)
	ActSigmoid                // σ(x) = 1/(1+exp(-x))
	ActHardSigmoid            // min(max(x+3, 0), 6)/6
	ActHardSwish              // x·min(max(x+3, 0), 6)/6
	ActTanh                   // tanh(x)
)

var actNames = [...]string{"none", "relu", "relu6", "silu", "gelu", "sigmoid", "hardsigmoid", "hardswish", "tanh"}

// String returns the activation's lower-case name.
func (a Act) String() string {
	if a < 0 || int(a) >= len(actNames) {
		return fmt.Sprintf("Act(%d)", int(a))
	}
	return actNames[a]
}

// Eval returns act(x): the scalar definition that the vector kernels are held against.
func (a Act) Eval(x float64) float64 {
	switch a {
	case ActNone:
		return x
	case ActReLU:
		return math.Max(x, 0)
	case ActReLU6:
		return clamp(x, 0, 6)
	case ActSiLU:
		return x * sigmoid(x)
	case ActGELU:
		return x * normalCDF(x)
	case ActSigmoid:
		return sigmoid(x)
	case ActHardSigmoid:
		return clamp(x+3, 0, 6) / 6
	case ActHardSwish:
		return x * clamp(x+3, 0, 6) / 6
	case ActTanh:
		return math.Tanh(x)
	}
	panic("kernels: no such activation: " + a.String())
}

// Slope returns act'(x), with PyTorch's choice at the kinks.
func (a Act) Slope(x float64) float64 {
	switch a {
	case ActNone:
		return 1
	case ActReLU:
		return indicator(x > 0)
	case ActReLU6:
		return indicator(x > 0 && x < 6)
	case ActSiLU:
		s := sigmoid(x)
		return s * (1 + x*(1-s))
	case ActGELU:
		return normalCDF(x) + x*math.Exp(-x*x/2)/math.Sqrt(2*math.Pi)
	case ActSigmoid:
		s := sigmoid(x)
		return s * (1 - s)
	case ActHardSigmoid:
		return indicator(x > -3 && x < 3) / 6
	case ActHardSwish:
		switch {
		case x <= -3:
			return 0
		case x >= 3:
			return 1
		}
		return x/3 + 0.5
	case ActTanh:
		t := math.Tanh(x)
		return 1 - t*t
	}
	panic("kernels: no such activation: " + a.String())
}

// clampBounds returns lo and hi if the activation is min(max(x, lo), hi) with slope 1 in between and 0 outside.
func (a Act) clampBounds() (lo, hi float32, ok bool) {
	inf := float32(math.Inf(1))
	switch a {
	case ActNone:
		return -inf, inf, true
	case ActReLU:
		return 0, inf, true
	case ActReLU6:
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
