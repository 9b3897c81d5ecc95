package attention

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/measure"
	"github.com/reidbench/reidbench/kernels/parallel"
)

var attentionShapes = []Shape{
	{Tokens: 1, Heads: 1, HeadDim: 1, Scale: 1},
	{Tokens: 16, Heads: 4, HeadDim: 6, Scale: 0.4},
	{Tokens: 17, Heads: 2, HeadDim: 9, Scale: -0.3},
	{Tokens: 129, Heads: 3, HeadDim: 64, Scale: 0.125},
	{Tokens: 50, Heads: 2, HeadDim: 33, Scale: 0.2},
}

// attentionCase holds q, k and v side by side in one matrix, as one linear layer makes them, and the rest on its own.
type attentionCase struct {
	s         Shape
	sequences int
	qkv, dqkv []float32
	of        Gradient
	ws        []float32
	a         *Attention
	p         *parallel.Pool
}

func newAttentionCase(t *testing.T, seed uint64, s Shape, sequences, threads int) *attentionCase {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	c := &attentionCase{s: s, sequences: sequences, a: New(s), p: parallel.NewPool(threads)}
	t.Cleanup(c.p.Close)
	width, rows := s.Heads*s.HeadDim, sequences*s.Tokens
	c.qkv, c.dqkv = kerneltest.Guarded(t, rng, rows*3*width), kerneltest.Guarded(t, rng, rows*3*width)
	third := func(x []float32, i int) Rows { return Rows{x[i*width:], 3 * width} }
	c.of = Gradient{DQ: third(c.dqkv, 0), DK: third(c.dqkv, 1), DV: third(c.dqkv, 2)}
	c.of.At = Operands{Q: third(c.qkv, 0), K: third(c.qkv, 1), V: third(c.qkv, 2)}
	c.of.At.Out = Rows{kerneltest.Guarded(t, rng, rows*width), width}
	c.of.DOut = Rows{kerneltest.Guarded(t, rng, rows*width), width}
	c.of.At.LSE = kerneltest.Guarded(t, rng, sequences*s.Heads*s.Tokens)
	c.ws = kerneltest.Guarded(t, rng, c.a.Workspace(threads))
	return c
}

// naive computes out and lse in float64 from the definition.
func (c *attentionCase) naive() (out, lse []float64) {
	s, of := c.s, c.of.At
	out, lse = make([]float64, len(of.Out.Data)), make([]float64, len(of.LSE))
	p := make([]float64, s.Tokens)
	for n := range c.sequences {
		for h := range s.Heads {
			at := func(m Rows, i, d int) float64 { return float64(m.Data[(n*s.Tokens+i)*m.Stride+h*s.HeadDim+d]) }
			for i := range s.Tokens {
				sum := 0.0
				for j := range p {
					score := 0.0
					for d := range s.HeadDim {
						score += at(of.Q, i, d) * at(of.K, j, d)
					}
					p[j] = math.Exp(float64(s.Scale) * score)
					sum += p[j]
				}
				lse[(n*s.Heads+h)*s.Tokens+i] = math.Log(sum)
				for d := range s.HeadDim {
					for j := range p {
						out[(n*s.Tokens+i)*of.Out.Stride+h*s.HeadDim+d] += p[j] / sum * at(of.V, j, d)
					}
				}
			}
		}
	}
	return out, lse
}

func (c *attentionCase) forward() {
	c.a.Forward(c.p, c.sequences, c.of.At, c.ws)
}

func (c *attentionCase) backward() {
	c.a.Backward(c.p, c.sequences, c.of, c.ws)
}

// attentionTolerance: scores are sums of HeadDim products with the rounding error of SumTolerance, times the scale; an
// error of a score is a relative error of its probability, and the values that are averaged are below 6.
func attentionTolerance(s Shape) float64 {
	return 6 * (math.Abs(float64(s.Scale))*kerneltest.SumTolerance(s.HeadDim) + kerneltest.SumTolerance(8))
}

func TestAttentionForward(t *testing.T) {
	for _, s := range attentionShapes {
		t.Run(fmt.Sprintf("%+v", s), func(t *testing.T) {
			kerneltest.ForEachISA(t, func(t *testing.T) {
				c := newAttentionCase(t, 17, s, 3, 2)
				out, lse := c.naive()
				c.forward()
				kerneltest.Compare(t, "out", c.of.At.Out.Data, out, attentionTolerance(s))
				kerneltest.Compare(t, "lse", c.of.At.LSE, lse, attentionTolerance(s))
			})
		})
	}
}

// The gradient of Σ out·dout is held against central differences of the float64 forward pass, with a step of 1e-3: the
// truncation is 1e-6 times a third derivative, which is of the order of the gradient. The kernels' float32 sums, of up
// to some hundred terms for each of three products, miss it by up to 1e-4.
func TestAttentionBackward(t *testing.T) {
	const step = 1.0 / 1024 // so that x ± step is exact for the values below 2¹³ ulp
	for _, s := range attentionShapes {
		t.Run(fmt.Sprintf("%+v", s), func(t *testing.T) {
			kerneltest.ForEachISA(t, func(t *testing.T) {
				c := newAttentionCase(t, 19, s, 2, 2)
				c.forward()
				c.backward()
				rng := rand.New(rand.NewPCG(20, 1))
				objective := func() float64 {
					out, _ := c.naive()
					sum := 0.0
					for i, v := range out {
						sum += v * float64(c.of.DOut.Data[i])
					}
					return sum
				}
				samples := 24
				if s.Tokens > 100 {
					samples = 6
				}
				for range samples {
					i := rng.IntN(len(c.qkv))
					x := c.qkv[i]
					c.qkv[i] = x + step
					above, width := objective(), float64(c.qkv[i])
					c.qkv[i] = x - step
					width -= float64(c.qkv[i])
					want := (above - objective()) / width
					c.qkv[i] = x
					if got := float64(c.dqkv[i]); math.Abs(got-want) > 1e-4*(1+math.Abs(want)) {
						t.Errorf("gradient %d of q, k, v, row width %d: %g, want %g", i, c.of.At.Q.Stride, got, want)
					}
				}
			})
		})
	}
}

func TestAttentionSameBitsForAnyThreads(t *testing.T) {
	s := Shape{Tokens: 33, Heads: 3, HeadDim: 16, Scale: 0.25}
	kerneltest.ForEachISA(t, func(t *testing.T) {
		var out, dqkv []float32
		for _, threads := range []int{1, 2, 5} {
			c := newAttentionCase(t, 21, s, 4, threads)
			c.forward()
			c.backward()
			if out == nil {
				out, dqkv = c.of.At.Out.Data, c.dqkv
			}
			if !slices.Equal(out, c.of.At.Out.Data) || !slices.Equal(dqkv, c.dqkv) {
				t.Errorf("results with %d threads differ from those with one", threads)
			}
		}
	})
}

func TestAttentionDoesNotAllocate(t *testing.T) {
	kerneltest.ForEachISA(t, func(t *testing.T) {
		c := newAttentionCase(t, 22, Shape{Tokens: 17, Heads: 3, HeadDim: 16, Scale: 0.25}, 4, 2)
		if n := testing.AllocsPerRun(5, func() { c.forward(); c.backward() }); n != 0 {
			t.Errorf("%v allocations per step", n)
		}
	})
}

func TestAttentionLargeScoresDoNotOverflow(t *testing.T) {
	kerneltest.ForEachISA(t, func(t *testing.T) {
		for _, scale := range []float32{1000, -1000} {
			c := newAttentionCase(t, 23, Shape{Tokens: 9, Heads: 1, HeadDim: 8, Scale: scale}, 1, 1)
			c.forward()
			c.backward()
			for i, v := range append(slices.Clone(c.of.At.Out.Data), c.dqkv...) {
				if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
					t.Fatalf("scale %g: value %d is %g", scale, i, v)
				}
			}
		}
	})
}

func FuzzAttention(f *testing.F) {
	f.Add(uint64(1), uint8(17), uint8(2), uint8(6))
	f.Fuzz(func(t *testing.T, seed uint64, tokens, heads, dim uint8) {
		s := Shape{Tokens: 1 + int(tokens)%70, Heads: 1 + int(heads)%4, HeadDim: 1 + int(dim)%70, Scale: 0.2}
		for range kerneltest.Sets(isa.Generic) {
			c := newAttentionCase(t, seed, s, 2, 2)
			out, lse := c.naive()
			c.forward()
			kerneltest.Compare(t, "out", c.of.At.Out.Data, out, attentionTolerance(s))
			kerneltest.Compare(t, "lse", c.of.At.LSE, lse, attentionTolerance(s))
			checkAttentionOfPairs(t, seed, s)
		}
	})
}

func BenchmarkAttention(b *testing.B) {
	for _, s := range []Shape{
		{Tokens: 129, Heads: 3, HeadDim: 64, Scale: 0.125},
		{Tokens: 129, Heads: 12, HeadDim: 64, Scale: 0.125},
		{Tokens: 16, Heads: 4, HeadDim: 6, Scale: 0.4},
	} {
		b.Run(fmt.Sprintf("%dx%dx%d", s.Tokens, s.Heads, s.HeadDim), func(b *testing.B) {
			p := parallel.NewPool(1)
			defer p.Close()
			a := New(s)
			sequences := max(4, 1<<14/(s.Tokens*s.Heads))
			rows, width := sequences*s.Tokens, s.Heads*s.HeadDim
			qkv, dqkv := make([]float32, rows*3*width), make([]float32, rows*3*width)
			out := Rows{make([]float32, rows*width), width}
			third := func(x []float32, i int) Rows { return Rows{x[i*width:], 3 * width} }
			of := Gradient{DQ: third(dqkv, 0), DK: third(dqkv, 1), DV: third(dqkv, 2), DOut: out}
			of.At = Operands{Q: third(qkv, 0), K: third(qkv, 1), V: third(qkv, 2), Out: out}
			of.At.LSE = make([]float32, rows*s.Heads)
			ws := make([]float32, a.Workspace(1))
			for b.Loop() {
				a.Forward(p, sequences, of.At, ws)
				a.Backward(p, sequences, of, ws)
			}
			macs := 7 * int64(sequences*s.Heads) * int64(s.Tokens*s.Tokens*s.HeadDim)
			kerneltest.ReportSpeed(b, macs, measure.Peak(p, kerneltest.PeakTime))
		})
	}
}
