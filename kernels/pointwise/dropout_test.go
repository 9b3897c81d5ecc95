package pointwise

import (
	"math"
	"slices"
	"testing"

	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// dropped returns which of n ones a dropout zeroes.
func dropped(t *testing.T, prob float64, key, step uint64, n int) []bool {
	t.Helper()
	pool := parallel.NewPool(2)
	defer pool.Close()
	x := slices.Repeat([]float32{1}, n)
	NewDropout(prob, key).Forward(pool, n, x, x, step)
	out := make([]bool, n)
	for i, v := range x {
		out[i] = v == 0
		if want := float32(1 / (1 - prob)); v != 0 && v != want {
			t.Fatalf("prob %g: kept value became %g, want %g", prob, v, want)
		}
	}
	return out
}

func TestDropoutIsRandom(t *testing.T) {
	const n, prob = 1 << 18, 0.3
	// Counts of n independent events of probability q deviate by more than 5·sqrt(n·q·(1-q)) once in two million.
	check := func(what string, count int, q float64) {
		t.Helper()
		if off := math.Abs(float64(count) - n*q); off > 5*math.Sqrt(n*q*(1-q)) {
			t.Errorf("%s: %d of %d, expected %.0f", what, count, n, n*q)
		}
	}
	base := dropped(t, prob, 1, 1, n)
	others := map[string][]bool{
		"the next step":      dropped(t, prob, 1, 2, n),
		"another key":        dropped(t, prob, 2, 1, n),
		"key and step swap":  dropped(t, prob, 0, 2, n),
		"its neighbours":     append(append([]bool(nil), base[1:]...), base[0]),
		"those two further":  append(append([]bool(nil), base[2:]...), base[:2]...),
		"those 4096 further": append(append([]bool(nil), base[4096:]...), base[:4096]...),
	}
	count := 0
	for _, d := range base {
		if d {
			count++
		}
	}
	check("dropped", count, prob)
	for name, other := range others {
		both := 0
		for i := range base {
			if base[i] && other[i] {
				both++
			}
		}
		check("dropped here and in "+name, both, prob*prob)
	}
}

func TestDropoutLimits(t *testing.T) {
	for _, d := range dropped(t, 0, 1, 1, 1000) {
		if d {
			t.Fatal("probability 0 drops a value")
		}
	}
	pool := parallel.NewPool(1)
	defer pool.Close()
	x := []float32{1, float32(math.Inf(1)), 3}
	NewDropout(1, 1).Forward(pool, 3, x, x, 1)
	kerneltest.CheckEqual(t, "probability 1", x, []float32{0, 0, 0})
	y := []float32{1, 2, 3, 4}
	NewDropPath(1, 1).Forward(pool, 2, 2, y, y, 1)
	kerneltest.CheckEqual(t, "probability 1 for samples", y, []float32{0, 0, 0, 0})
}

func TestCounterHash(t *testing.T) {
	// The first outputs of SplitMix64 seeded with 0, from its authors' reference code.
	state := uint64(0)
	for i, want := range []uint64{0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f} {
		state += 0x9e3779b97f4a7c15
		if got := mix64(state); got != want {
			t.Errorf("output %d = %#x, want %#x", i, got, want)
		}
	}
	if a, b := counterHash(1, 2, 3), counterHash(1, 2, 3); a != b {
		t.Errorf("the same arguments give %#x and %#x", a, b)
	}
}
