package conv

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
)

// keptShapes have every form that packs weights, for one sample or for more.
var keptShapes = append(slices.Concat(convShapes, strassenShapes),
	Shape{H: 16, W: 8, C: 64, OutC: 56, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1},
	Shape{H: 16, W: 12, C: 40, OutC: 72, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1, BeforeNorm: true},
	Shape{
		H: 8, W: 5, C: 64, OutC: 72, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1, BeforeNorm: true, Kept: true,
	},
	Shape{H: 12, W: 16, C: 32, OutC: 24, KH: 7, KW: 1, SH: 1, SW: 1, PH: 3, Groups: 1, BeforeNorm: true},
	Shape{H: 16, W: 13, C: 256, OutC: 200, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1},
)

// TestPack: weights that are packed once give the bits of those that each call packs, and nothing reads the others any
// more. For another number of samples the weights are read as ever.
func TestPack(t *testing.T) {
	for _, s := range keptShapes {
		t.Run(convName(s), func(t *testing.T) {
			kerneltest.ForEachISA(t, func(t *testing.T) {
				for _, n := range []int{1, 2} {
					rng := rand.New(rand.NewPCG(3, 4))
					c := newConvCase(t, rng, s, n, 2)
					c.ws = kerneltest.Guarded(t, rng, c.c.ForwardWorkspace(n, 2))
					want, got := make([]float32, c.outLen), kerneltest.Guarded(t, rng, c.outLen)
					e := Epilogue{Bias: c.bias, Add: c.add, Act: act.ReLU}
					c.c.Forward(c.p, n, want, c.x, c.w, e, c.ws)
					size := c.c.PackedSize(n)
					if size == 0 {
						continue
					}
					packed := kerneltest.Guarded(t, rng, size)
					c.c.Pack(c.p, n, c.w, packed, c.ws)
					c.c.Forward(c.p, n, got, c.x, make([]float32, len(c.w)), e, c.ws)
					if !slices.Equal(got, want) {
						t.Errorf("%d samples: the results differ", n)
					}
					if n == 1 {
						continue
					}
					single := want[:c.outLen/n]
					fresh, err := New(s)
					if err != nil {
						t.Fatal(err)
					}
					fresh.Forward(c.p, 1, single, c.x, c.w, e, c.ws)
					c.c.Forward(c.p, 1, got, c.x, c.w, e, c.ws)
					if !slices.Equal(got[:len(single)], single) {
						t.Error("one sample after packing for two: the results differ")
					}
				}
			})
		})
	}
}

// TestInferenceBits: how inference cuts rows changes no bit. Only Strassen's form, whose blocks are part of the
// sums, is chosen from more rows on.
func TestInferenceBits(t *testing.T) {
	for _, s := range keptShapes {
		t.Run(convName(s), func(t *testing.T) {
			kerneltest.ForEachISA(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(7, 8))
				c := newConvCase(t, rng, s, 3, 2)
				of := s
				of.Inference = true
				inference, err := New(of)
				if err != nil {
					t.Fatal(err)
				}
				if c.c.Forms(c.n).Forward != inference.Forms(c.n).Forward {
					t.Skip("in another form")
				}
				want, got := make([]float32, c.outLen), kerneltest.Guarded(t, rng, c.outLen)
				e := Epilogue{Bias: c.bias, Add: c.add, Act: act.ReLU}
				c.c.Forward(c.p, c.n, want, c.x, c.w, e, c.ws)
				ws := kerneltest.Guarded(t, rng, inference.ForwardWorkspace(c.n, 2))
				inference.Forward(c.p, c.n, got, c.x, c.w, e, ws)
				if !slices.Equal(got, want) {
					t.Error("the results differ")
				}
			})
		})
	}
}

// TestActivationsFollow: an activation that no loop over sums computes has the bits that it has after the convolution.
func TestActivationsFollow(t *testing.T) {
	for _, s := range keptShapes {
		t.Run(convName(s), func(t *testing.T) {
			kerneltest.ForEachISA(t, func(t *testing.T) {
				for _, kind := range []act.Kind{act.ReLU6, act.SiLU} {
					rng := rand.New(rand.NewPCG(5, 6))
					c := newConvCase(t, rng, s, 2, 2)
					if !c.c.Applies(kind) {
						continue
					}
					want, got := make([]float32, c.outLen), kerneltest.Guarded(t, rng, c.outLen)
					e := Epilogue{Bias: c.bias, Add: c.add}
					c.c.Forward(c.p, c.n, want, c.x, c.w, e, c.ws)
					act.Apply(kind, want, want)
					e.Act = kind
					c.c.Forward(c.p, c.n, got, c.x, c.w, e, c.ws)
					if !slices.Equal(got, want) {
						t.Errorf("%v: the results differ", kind)
					}
				}
			})
		})
	}
}
