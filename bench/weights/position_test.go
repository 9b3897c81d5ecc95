package weights

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// resizedByPyTorch has what F.interpolate(mode="bicubic") of PyTorch 1.13, which doesn't antialias unless it is told,
// makes of position embeddings of two channels whose values are ((7i² + 3i) mod 32)/8 − 2: testdata/positions.py.
var resizedByPyTorch = []struct {
	from, to Grid
	want     []float32
}{
	{Grid{3, 3}, Grid{4, 2}, []float32{
		-2, -0.75, -1.098227, -0.3362637, 0.2307415, 0.1841106, 0.5757999, -0.004034042, 0.5765896, -0.8118382,
		0.5647793, 0.4551601, 0.5655689, -0.352644, -1.123346, 0.7103939, 0.2056217, 1.230768,
	}},
	{Grid{4, 4}, Grid{6, 3}, []float32{
		-2, -0.75, -1.463767, -0.5972063, 0.9318576, 0.9318575, 0.8770264, 0.01046585, 0.06004054, -0.4817709,
		-0.003906533, -0.003906317, 0.3236408, 0.8654516, 1.247203, 0.00559405, -0.4671586, -0.4671582, -0.3303857,
		0.9112221, 0.3857058, 0.8574461, 0.6780964, 0.6780965, -0.4456557, -0.917396, -0.4969621, -0.2942712, 0.4414064,
		0.4414061, -1.099683, -1.302373, -0.9835071, -1.770817, -0.2743051, -0.2743057, -1.653068, -0.8657563,
	}},
}

// positions is a published embedding for that grid.
func positions(g Grid) []float32 {
	values := make([]float32, 2*(1+g.H*g.W))
	for i := range values {
		values[i] = float32((7*i*i+3*i)%32)/8 - 2
	}
	return values
}

func TestLoadResizesPositions(t *testing.T) {
	for _, c := range resizedByPyTorch {
		a, err := archive(t, Tensor{Name: "pos", Shape: []int{1, 1 + c.from.H*c.from.W, 2}, Data: positions(c.from)})
		if err != nil {
			t.Fatal(err)
		}
		n := Network{
			Names: []string{"pos"}, Shape: func(string) []int { return []int{1, 1 + c.to.H*c.to.W, 2} },
			Positions: map[string]Grid{"pos": c.to},
		}
		var got []float32
		note, err := Load(a, n, func(_ string, values []float32) error { got = values; return nil })
		if want := fmt.Sprintf("memory: pos resized from %v to %v tokens, bicubic without antialiasing",
			c.from, c.to); err != nil || note != want {
			t.Errorf("note %q, error %v, want %q", note, err, want)
		}
		// PyTorch weighs in float32: 16 products of values below 2 have some 1e-6 of rounding.
		if diff := cmp.Diff(c.want, got, cmpopts.EquateApprox(0, 2e-6)); diff != "" {
			t.Errorf("%v to %v (-PyTorch +ours):\n%s", c.from, c.to, diff)
		}
	}
}

// TestLoadLeavesTokens: a distillation token's vector stands behind the class token's.
func TestLoadLeavesTokens(t *testing.T) {
	for _, c := range resizedByPyTorch {
		values := positions(c.from)
		distilled := slices.Insert(slices.Clone(values), 2, 5, 6)
		for _, grid := range []Grid{c.from, c.to} { // left out, and also resized
			a, err := archive(t, Tensor{Name: "dist", Shape: []int{2}, Data: []float32{7, 8}},
				Tensor{Name: "pos", Shape: []int{1, 2 + c.from.H*c.from.W, 2}, Data: distilled})
			if err != nil {
				t.Fatal(err)
			}
			n := Network{
				Names: []string{"pos"}, Shape: func(string) []int { return []int{1, 1 + grid.H*grid.W, 2} },
				Positions: map[string]Grid{"pos": grid}, Leaves: []string{"dist"}, Tokens: 2,
			}
			want, said := values, "pos without the vectors of 1 further tokens"
			if grid != c.from {
				want, said = c.want, fmt.Sprintf("pos resized from %v to %v tokens", c.from, grid)
			}
			var got []float32
			note, err := Load(a, n, func(_ string, values []float32) error { got = values; return nil })
			if err != nil || !strings.Contains(note, said) || !strings.Contains(note, "no place for it: dist") {
				t.Errorf("note %q, error %v, want %q", note, err, said)
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 2e-6)); diff != "" {
				t.Errorf("%v to %v (-want +got):\n%s", c.from, grid, diff)
			}
		}
	}
}

func TestMatchRefusesOtherPositions(t *testing.T) {
	for name, shape := range map[string][]int{
		"not square":     {1, 1 + 12, 2},
		"no class token": {1, 16, 2},
		"other width":    {1, 1 + 16, 3},
		"other rank":     {1 + 16, 2},
		"class token":    {1, 1, 2},
	} {
		size := 1
		for _, d := range shape {
			size *= d
		}
		a, err := archive(t, Tensor{Name: "pos", Shape: shape, Data: make([]float32, size)})
		if err != nil {
			t.Fatal(err)
		}
		_, err = Match(a, Network{
			Names: []string{"pos"}, Shape: func(string) []int { return []int{1, 1 + 8, 2} },
			Positions: map[string]Grid{"pos": {4, 2}},
		})
		if err == nil || !strings.Contains(err.Error(), "misshapen (1): pos") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMatchOnesAtTheEnd(t *testing.T) {
	a, err := archive(t, Tensor{Name: "a", Shape: []int{3, 2, 1, 1}, Data: make([]float32, 6)})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		shape []int
		fits  bool
	}{{[]int{3, 2}, true}, {[]int{3, 2, 1}, true}, {[]int{6}, false}, {[]int{1, 3, 2}, false}, {[]int{2, 3}, false}} {
		_, err := Match(a, Network{Names: []string{"a"}, Shape: func(string) []int { return c.shape }})
		if (err == nil) != c.fits {
			t.Errorf("%v: %v", c.shape, err)
		}
	}
}

// TestMatchLinearAsConvolution: over a whole map the two are the same.
func TestMatchLinearAsConvolution(t *testing.T) {
	a, err := archive(t, Tensor{Name: "a", Shape: []int{2, 3, 2, 2}, Data: make([]float32, 24)})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		shape []int
		fits  bool
	}{{[]int{2, 12}, true}, {[]int{2, 3}, false}, {[]int{4, 6}, false}, {[]int{2, 6, 2}, false}} {
		_, err := Match(a, Network{Names: []string{"a"}, Shape: func(string) []int { return c.shape }})
		if (err == nil) != c.fits {
			t.Errorf("%v: %v", c.shape, err)
		}
	}
}
