package pooling

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// poolShapes are windows that overlap, leave gaps, reach into the padding and beyond it.
var poolShapes = []Shape{
	{H: 7, W: 6, C: 3, KH: 3, KW: 3, SH: 2, SW: 2, PH: 1, PW: 1},
	{H: 8, W: 6, C: 2, KH: 3, KW: 3, SH: 2, SW: 2, Ceil: true},
	{H: 5, W: 5, C: 2, KH: 2, KW: 3, SH: 3, SW: 2, PH: 1, PW: 1, Ceil: true},
	{H: 6, W: 4, C: 5, KH: 2, KW: 2, SH: 2, SW: 2},
	{H: 6, W: 5, C: 1, KH: 1, KW: 1, SH: 2, SW: 2},
	{H: 4, W: 3, C: 2, KH: 4, KW: 3, SH: 1, SW: 1},
}

func TestPooling(t *testing.T) { kerneltest.CheckLayers(t, poolCases) }

// poolCases are the pooling layers.
func poolCases(large bool) []kerneltest.Layer {
	var cases []kerneltest.Layer
	for _, s := range poolShapes {
		if large {
			s.H, s.W, s.C = 4*s.H, 4*s.W, 13*s.C
		}
		cases = append(cases, maxPoolCase(s), avgPoolCase(s, false), avgPoolCase(s, true))
	}
	for _, out := range [][2]int{{1, 1}, {2, 3}, {7, 5}, {3, 1}, {9, 7}} {
		h, w, c := 7, 5, 3
		if large {
			h, w, c = 23, 19, 70
		}
		cases = append(cases, adaptiveCase(h, w, c, out[0], out[1]))
	}
	return cases
}

// poolCase is a pooling layer whose definition maps the window [y0,y1)×[x0,x1) before clipping to one value.
func poolCase(name string, s Shape, value func(x []float64, s Shape, y0, x0, c int) float64) kerneltest.Layer {
	const n = 2
	rng := kerneltest.NewRand()
	x := kerneltest.Normal(rng, n*s.H*s.W*s.C)
	outH, outW := s.OutH(), s.OutW()
	k := kerneltest.Layer{Name: fmt.Sprintf("%s %+v", name, s), In: [][]float32{x},
		DY: kerneltest.Normal(rng, n*outH*outW*s.C), Y: make([]float32, n*outH*outW*s.C)}
	k.Grads = kerneltest.MakeSlices(k.In)
	k.Forward = func(in [][]float64) []float64 {
		var y []float64
		for sample := range n {
			x := in[0][sample*s.H*s.W*s.C:]
			for oy := range outH {
				for ox := range outW {
					for c := range s.C {
						y = append(y, value(x, s, oy*s.SH-s.PH, ox*s.SW-s.PW, c))
					}
				}
			}
		}
		return y
	}
	return k
}

func maxPoolCase(s Shape) kerneltest.Layer {
	k := poolCase("MaxPool", s, func(x []float64, s Shape, y0, x0, c int) float64 {
		best := math.Inf(-1)
		for i := max(y0, 0); i < min(y0+s.KH, s.H); i++ {
			for j := max(x0, 0); j < min(x0+s.KW, s.W); j++ {
				best = max(best, x[(i*s.W+j)*s.C+c])
			}
		}
		return best
	})
	pool := NewMax(s)
	arg := make([]uint8, len(k.Y))
	k.Run = func(p *parallel.Pool) {
		pool.Forward(p, 2, k.Y, k.In[0], nil)
		pool.Forward(p, 2, k.Y, k.In[0], arg)
		pool.Backward(p, 2, k.Grads[0], k.DY, arg)
	}
	return k
}

func avgPoolCase(s Shape, includePad bool) kerneltest.Layer {
	name := fmt.Sprintf("AvgPool, include pad %t", includePad)
	k := poolCase(name, s, func(x []float64, s Shape, y0, x0, c int) float64 {
		sum, count, padded := 0.0, 0, 0
		for i := y0; i < min(y0+s.KH, s.H+s.PH); i++ {
			for j := x0; j < min(x0+s.KW, s.W+s.PW); j++ {
				padded++
				if i >= 0 && i < s.H && j >= 0 && j < s.W {
					sum += x[(i*s.W+j)*s.C+c]
					count++
				}
			}
		}
		if includePad {
			count = padded
		}
		return sum / float64(count)
	})
	pool := NewAvg(s, includePad)
	k.Run = func(p *parallel.Pool) {
		pool.Forward(p, 2, k.Y, k.In[0])
		pool.Backward(p, 2, k.Grads[0], k.DY)
	}
	return k
}

func adaptiveCase(h, w, c, outH, outW int) kerneltest.Layer {
	const n = 2
	rng := kerneltest.NewRand()
	x := kerneltest.Normal(rng, n*h*w*c)
	k := kerneltest.Layer{Name: fmt.Sprintf("AdaptiveAvgPool %d×%d to %d×%d", h, w, outH, outW), In: [][]float32{x},
		DY: kerneltest.Normal(rng, n*outH*outW*c), Y: make([]float32, n*outH*outW*c)}
	k.Grads = kerneltest.MakeSlices(k.In)
	pool := NewAdaptiveAvg(h, w, c, outH, outW)
	k.Run = func(p *parallel.Pool) {
		pool.Forward(p, n, k.Y, x)
		pool.Backward(p, n, k.Grads[0], k.DY)
	}
	k.Forward = func(in [][]float64) []float64 {
		y := make([]float64, len(k.Y))
		for o := range y {
			sample, oy, ox, ch := o/(outH*outW*c), o/(outW*c)%outH, o/c%outW, o%c
			sum, count := 0.0, 0.0
			for i := range h {
				for j := range w {
					// pixel i belongs to output oy if the two intervals overlap
					if i*outH < (oy+1)*h && (i+1)*outH > oy*h && j*outW < (ox+1)*w && (j+1)*outW > ox*w {
						sum += in[0][((sample*h+i)*w+j)*c+ch]
						count++
					}
				}
			}
			y[o] = sum / count
		}
		return y
	}
	return k
}

func TestPoolOutputSize(t *testing.T) {
	// Sizes that PyTorch gives.
	tests := []struct {
		in, kernel, stride, pad int
		ceil                    bool
		want                    int
	}{
		{128, 3, 2, 1, false, 64},
		{55, 3, 2, 0, false, 27},
		{56, 3, 2, 0, true, 28},
		{112, 3, 2, 0, true, 56},
		{5, 2, 3, 1, true, 2}, // a third window would start in the padding after it
		{3, 1, 2, 0, true, 2},
		{7, 7, 1, 0, false, 1},
	}
	for _, test := range tests {
		if got := outputSize(test.in, test.kernel, test.stride, test.pad, test.ceil); got != test.want {
			t.Errorf("outputSize(%+v) = %d", test, got)
		}
	}
}

func TestMaxPoolFirstMaximumAndNaN(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	tests := []struct {
		name    string
		x       []float32 // a 2×2 window
		want    float32
		wantArg uint8
	}{
		{"tie", []float32{1, 3, 3, 3}, 3, 1},
		{"minus infinity", []float32{-inf, -inf, -inf, -inf}, -inf, 0},
		{"infinity", []float32{1, 2, inf, inf}, inf, 2},
		{"NaN wins", []float32{5, nan, 9, 1}, nan, 1},
		{"last NaN wins", []float32{nan, 5, nan, 1}, nan, 2},
	}
	kerneltest.ForEachISA(t, func(t *testing.T) {
		pool := parallel.NewPool(1)
		defer pool.Close()
		const c = 37
		for _, test := range tests {
			x, y, arg := make([]float32, 4*c), make([]float32, c), make([]uint8, c)
			for i := range x {
				x[i] = test.x[i/c]
			}
			layer := NewMax(Shape{H: 2, W: 2, C: c, KH: 2, KW: 2, SH: 1, SW: 1})
			layer.Forward(pool, 1, y, x, arg)
			for j := range c {
				if arg[j] != test.wantArg || y[j] != test.want && !(y[j] != y[j] && test.want != test.want) {
					t.Errorf("%s: channel %d: %g at %d, want %g at %d",
						test.name, j, y[j], arg[j], test.want, test.wantArg)
					break
				}
			}
		}
	})
}

func TestPoolShapeChecks(t *testing.T) {
	for _, s := range []Shape{
		{},
		{H: 2, W: 2, C: 1, KH: 3, KW: 3, SH: 1, SW: 1},
		{H: 9, W: 9, C: 1, KH: 3, KW: 3, SH: 1, SW: 1, PH: 2},
		{H: 99, W: 99, C: 1, KH: 17, KW: 17, SH: 1, SW: 1},
	} {
		panicked := func() (cause any) {
			defer func() { cause = recover() }()
			NewMax(s)
			return nil
		}()
		if panicked == nil {
			t.Errorf("NewMax(%+v) does not panic", s)
		}
	}
	if diff := cmp.Diff([]int{4, 3}, []int{poolShapes[0].OutH(), poolShapes[0].OutW()}); diff != "" {
		t.Errorf("output of %+v (-want +got):\n%s", poolShapes[0], diff)
	}
}
