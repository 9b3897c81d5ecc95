package kerneltest

import "math/rand/v2"

// NewRand returns a source of random numbers that is the same for every test.
func NewRand() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

// Normal returns n normally distributed values.
func Normal(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

// ToFloat64 returns the values of x in float64.
func ToFloat64(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

// MakeSlices returns one zeroed slice of the length of each input.
func MakeSlices(in [][]float32) [][]float32 {
	out := make([][]float32, len(in))
	for i := range in {
		out[i] = make([]float32, len(in[i]))
	}
	return out
}
