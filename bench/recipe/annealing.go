package recipe

import (
	"fmt"
	"math"
	"slices"
)

// Annealing is how the learning rate falls in a stage.
type Annealing int

// The ways.
const (
	Steps  Annealing = iota // by a factor every so many epochs
	Cosine                  // as half a cosine, to nearly zero at the end (Loshchilov and Hutter, ICLR 2017, eq. 5)
)

var annealingNames = [...]string{Steps: "steps", Cosine: "cosine"}

func (a Annealing) String() string {
	if a < 0 || int(a) >= len(annealingNames) {
		return fmt.Sprintf("Annealing(%d)", int(a))
	}
	return annealingNames[a]
}

// MarshalText is [Annealing.String].
func (a Annealing) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText is the inverse of [Annealing.String].
func (a *Annealing) UnmarshalText(text []byte) error {
	i := slices.Index(annealingNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("rates fall in steps or as a cosine, not %q", text)
	}
	*a = Annealing(i)
	return nil
}

// Rate is the learning rate of an epoch, from 0, of a stage of so many. A cosine is that of PyTorch's
// CosineAnnealingLR over the stage's epochs.
func (r Recipe) Rate(epoch, epochs int) float64 {
	switch {
	case r.Annealing == Cosine:
		return r.LR * (1 + math.Cos(math.Pi*float64(epoch)/float64(epochs))) / 2
	case r.LRStep == 0:
		return r.LR
	}
	return r.LR * math.Pow(r.LRGamma, float64(epoch/r.LRStep))
}
