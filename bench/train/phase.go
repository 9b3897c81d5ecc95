package train

import "fmt"

// A Phase says what a step does for its layer.
type Phase uint8

// The phases. Layers whose gradients are computed in one step have a [Gradient] alone.
const (
	Forward            Phase = iota
	Statistics               // mean and variance of a batch norm's input
	Gradient                 // of all that the layer reads, and of its parameters
	DataGradient             // of what a convolution reads
	WeightGradient           // of a convolution's weights and bias
	BothGradients            // a convolution's two at once
	FirstGradient            // of the first of two factors
	SecondGradient           // of the second
	ActivationGradient       // of the activation that is fused into a layer
	SumOfGradients           // what two readers of a value contribute
	CopyOfGradient           // to where more is added to it
	ZeroGradient             // clears what a layer adds a part to
	Turn                     // transposes tokens and channels
	TurnBack
)

var phaseNames = [...]string{
	Forward:            "forward",
	Statistics:         "statistics",
	Gradient:           "gradient",
	DataGradient:       "data gradient",
	WeightGradient:     "weight gradient",
	BothGradients:      "gradients",
	FirstGradient:      "gradient of the first",
	SecondGradient:     "gradient of the second",
	ActivationGradient: "activation gradient",
	SumOfGradients:     "sum of gradients",
	CopyOfGradient:     "copy of gradient",
	ZeroGradient:       "zero gradient",
	Turn:               "turn",
	TurnBack:           "turn back",
}

// String returns the phase in words.
func (p Phase) String() string {
	if int(p) >= len(phaseNames) {
		return fmt.Sprintf("Phase(%d)", int(p))
	}
	return phaseNames[p]
}
