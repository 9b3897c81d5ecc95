package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// extent says how many values an operand of a vector kernel has.
type extent int

const (
	tensor   extent = iota // rows × channels
	apart                  // the same, with rows rowGap values apart
	channels               // one for each channel
	perRow                 // one for each row
)

const rowGap = 5

// vectorKernel is one function that exists in assembly, with the portable loop it is held against. The operands named
// first are written; all of them are given random contents.
type vectorKernel struct {
	name     string
	written  []extent
	read     []extent
	assembly func(x [][]float32, rows int)
	portable func(x [][]float32, rows int)
}

// vectorKernels returns all of them.
func vectorKernels() []vectorKernel {
	lo, hi := float32(-0.5), float32(1.25)
	rule := &adamRule{gain1: 0.1, beta2: 0.99, gain2: 0.01, rate: 0.003, root: 1.7, eps: 1e-3, decay: 0.01}
	type operands = [][]float32
	kernels := []vectorKernel{
		{"addClamp", []extent{tensor}, []extent{tensor, tensor},
			func(x operands, _ int) { addClamp(x[0], x[1], x[2], lo, hi, false) },
			func(x operands, _ int) { addClampGeneric(x[0], x[1], x[2], lo, hi) }},
		{"mul", []extent{tensor}, []extent{tensor, tensor},
			func(x operands, _ int) { mul(x[0], x[1], x[2]) },
			func(x operands, _ int) { mulGeneric(x[0], x[1], x[2]) }},
		{"scale", []extent{tensor}, []extent{tensor},
			func(x operands, _ int) { scale(x[0], x[1], 0.3) },
			func(x operands, _ int) { scaleGeneric(x[0], x[1], 0.3) }},
		{"addScaled", []extent{tensor}, []extent{tensor, tensor},
			func(x operands, _ int) { addScaled(x[0], x[1], x[2], 0.3) },
			func(x operands, _ int) { addScaledGeneric(x[0], x[1], x[2], 0.3) }},
		{"drop", []extent{tensor}, []extent{tensor},
			func(x operands, rows int) { drop(x[0], x[1], uint64(rows), 1<<31+12345, 1.5) },
			func(x operands, rows int) { dropGeneric(x[0], x[1], uint64(rows), 1<<31+12345, 1.5) }},
		{"sumChannels", []extent{channels}, []extent{tensor},
			func(x operands, rows int) { sumChannels(x[0], x[1], rows) },
			func(x operands, rows int) { sumChannelsGeneric(x[0], x[1], rows) }},
		{"scaleRows", []extent{tensor}, []extent{tensor, channels},
			func(x operands, rows int) { scaleRows(x[0], x[1], x[2], rows, false) },
			func(x operands, rows int) { scaleRowsGeneric(x[0], x[1], x[2], rows) }},
		{"scaleShiftRows", []extent{tensor}, []extent{tensor, channels, channels},
			func(x operands, rows int) { scaleShiftRows(x[0], x[1], x[2], x[3], rows) },
			func(x operands, rows int) { scaleShiftRowsGeneric(x[0], x[1], x[2], x[3], rows) }},
		{"gateSums", []extent{channels}, []extent{tensor, tensor},
			func(x operands, rows int) { gateSums(x[0], x[1], x[2], rows) },
			func(x operands, rows int) { gateSumsGeneric(x[0], x[1], x[2], rows) }},
		{"gateRows", []extent{tensor, channels}, []extent{tensor, tensor, channels},
			func(x operands, rows int) { gateRows(x[0], x[1], x[2], x[3], x[4], rows) },
			func(x operands, rows int) { gateRowsGeneric(x[0], x[1], x[2], x[3], x[4], rows) }},
		{"batchNormSums", []extent{channels, channels}, []extent{tensor, channels},
			func(x operands, rows int) { batchNormSums(x[0], x[1], x[2], x[3], rows) },
			func(x operands, rows int) { batchNormSumsGeneric(x[0], x[1], x[2], x[3], rows) }},
		{"batchNormClampGradRows", []extent{tensor}, []extent{tensor, tensor, channels, channels, channels, channels, channels},
			func(x operands, rows int) {
				batchNormClampGradRows(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], rows, lo, hi)
			},
			func(x operands, rows int) {
				batchNormClampGradRowsGeneric(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], rows, lo, hi)
			}},
		{"layerNormRows", []extent{tensor, perRow, perRow}, []extent{tensor, channels, channels},
			func(x operands, _ int) { layerNormRows(x[0], x[3], x[4], x[5], x[1], x[2], 0.1) },
			func(x operands, _ int) { layerNormRowsGeneric(x[0], x[3], x[4], x[5], x[1], x[2], 0.1) }},
		{"layerNormGradRows", []extent{tensor, channels, channels}, []extent{tensor, tensor, perRow, perRow, channels},
			func(x operands, _ int) { layerNormGradRows(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], nil) },
			func(x operands, _ int) { layerNormGradRowsGeneric(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], nil) }},
		{"layerNormGradRows and add", []extent{tensor, channels, channels}, []extent{tensor, tensor, perRow, perRow, channels, tensor},
			func(x operands, _ int) { layerNormGradRows(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8]) },
			func(x operands, _ int) {
				layerNormGradRowsGeneric(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8])
			}},
		{"adamUpdate", []extent{tensor, tensor, tensor}, []extent{tensor},
			func(x operands, _ int) { adamUpdate(x[0], x[3], x[1], x[2], rule) },
			func(x operands, _ int) { adamUpdateGeneric(x[0], x[3], x[1], x[2], rule) }},
	}
	kernels = append(kernels, batchNormKernels(tensor, 0)...)
	kernels = append(kernels, batchNormKernels(apart, rowGap)...)
	for _, act := range []Act{ActReLU6, ActSiLU, ActHardSwish} {
		kernels = append(kernels, vectorKernel{"batchNormSumRows " + act.String(), []extent{tensor, channels}, []extent{tensor, channels, channels, channels},
			func(x operands, rows int) { batchNormSumRows(act, x[0], x[1], x[2], x[3], x[4], x[5], rows, false) },
			func(x operands, rows int) { batchNormSumRowsGeneric(act, x[0], x[1], x[2], x[3], x[4], x[5], rows) }})
		kernels = append(kernels, vectorKernel{"batchNormGatedGradSums " + act.String(), []extent{tensor, channels, channels}, []extent{tensor, tensor, channels, channels, channels, channels, channels},
			func(x operands, rows int) {
				batchNormGatedGradSums(act, x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8], x[9], rows)
			},
			func(x operands, rows int) {
				batchNormGatedGradSumsGeneric(act, x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8], x[9], rows)
			}})
	}
	for act := ActReLU; act <= ActTanh; act++ {
		if hasNormCurve(act) {
			kernels = append(kernels,
				vectorKernel{"batchNormCurveRows " + act.String(), []extent{tensor}, []extent{tensor, channels, channels, channels},
					func(x operands, rows int) { batchNormCurveRows(act, x[0], x[1], x[2], x[3], x[4], rows, false) },
					func(x operands, rows int) { batchNormCurveRowsGeneric(act, x[0], x[1], x[2], x[3], x[4], rows) }},
				vectorKernel{"batchNormCurveGradSums " + act.String(), []extent{tensor, channels, channels}, []extent{tensor, tensor, channels, channels, channels},
					func(x operands, rows int) {
						batchNormCurveGradSums(act, x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], rows, false)
					},
					func(x operands, rows int) {
						batchNormCurveGradSumsGeneric(act, x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], rows)
					}})
		}
		kernels = append(kernels,
			vectorKernel{act.String(), []extent{tensor}, []extent{tensor},
				func(x operands, _ int) { activate(act, x[0], x[1]) },
				func(x operands, _ int) { activateGeneric(act, x[0], x[1]) }},
			vectorKernel{act.String() + " backward", []extent{tensor}, []extent{tensor, tensor},
				func(x operands, _ int) { activateBackward(act, x[0], x[1], x[2]) },
				func(x operands, _ int) { activateBackwardGeneric(act, x[0], x[1], x[2]) }})
	}
	return kernels
}

const fence = 12345.5 // a value that stands before and behind every operand

// fenced returns n values at an odd place between fences, and the memory they lie in.
func fenced(rng *rand.Rand, n int, special bool) (x, memory []float32) {
	const pad = 19
	memory = make([]float32, n+2*pad)
	Fill(memory, fence)
	x = memory[pad : pad+n : pad+n]
	specials := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1), 1e-40}
	for i := range x {
		x[i] = float32(rng.NormFloat64())
		if special && rng.IntN(4) == 0 {
			x[i] = float32(specials[rng.IntN(len(specials))])
		}
	}
	return x, memory
}

// check runs both versions on the same contents and compares all memory, fences included.
func (k vectorKernel) check(t *testing.T, rng *rand.Rand, rows, c int, special bool) {
	t.Helper()
	sizes := map[extent]int{tensor: rows * c, apart: max(0, rows*(c+rowGap)-rowGap), channels: c, perRow: rows}
	var got, want, gotMemory, wantMemory [][]float32
	for _, e := range append(append([]extent(nil), k.written...), k.read...) {
		x, memory := fenced(rng, sizes[e], special)
		if k.name == "adamUpdate" && len(got) == 2 { // a mean of squares
			for i := range x {
				x[i] = float32(math.Abs(float64(x[i])))
			}
		}
		twin := append([]float32(nil), memory...)
		at := (len(memory) - len(x)) / 2
		got, gotMemory = append(got, x), append(gotMemory, memory)
		want, wantMemory = append(want, twin[at:at+len(x):at+len(x)]), append(wantMemory, twin)
	}
	k.assembly(got, rows)
	k.portable(want, rows)
	for i := range gotMemory {
		for j, w := range wantMemory[i] {
			if g := gotMemory[i][j]; !withinRounding(g, w) {
				t.Errorf("%s, %d rows of %d, special %t: operand %d[%d of %d] = %g, want %g", k.name, rows, c, special, i, j-19, len(got[i]), g, w)
				return
			}
		}
	}
}

// withinRounding allows for fused multiply-adds and another order of addition in sums of some hundred terms of order one, and for
// 8 units in the last place of an activation: 1e-5 in all.
func withinRounding(got, want float32) bool {
	switch g, w := float64(got), float64(want); {
	case math.IsNaN(w):
		return math.IsNaN(g)
	case math.IsInf(w, 0) || got == want:
		return got == want
	default:
		return math.Abs(g-w) <= 1e-5*(1+math.Abs(w))
	}
}

func TestAssemblyEqualsPortableLoop(t *testing.T) {
	forEachISA(t, func(t *testing.T) {
		if active == Generic {
			t.Skip("nothing to compare")
		}
		rng := newRand()
		for _, k := range vectorKernels() {
			for c := 1; c <= 70; c++ {
				for _, rows := range []int{1, 2, 5} {
					k.check(t, rng, rows, c, false)
					k.check(t, rng, rows, c, true)
				}
			}
			k.check(t, rng, 0, 7, false)
			k.check(t, rng, 70, 129, false)
		}
	})
}

func FuzzAssemblyEqualsPortableLoop(f *testing.F) {
	f.Add(uint8(0), uint8(1), uint8(17), uint64(1), false)
	f.Add(uint8(9), uint8(3), uint8(64), uint64(2), true)
	f.Add(uint8(20), uint8(9), uint8(255), uint64(3), true)
	kernels := vectorKernels()
	f.Fuzz(func(t *testing.T, which, rows, c uint8, seed uint64, special bool) {
		for isa := AVX2; isa <= Detected(); isa++ {
			t.Run(isa.String(), func(t *testing.T) {
				setISA(t, isa)
				kernels[int(which)%len(kernels)].check(t, rand.New(rand.NewPCG(seed, 0)), int(rows), 1+int(c), special)
			})
		}
	})
}

func TestAddFloat64(t *testing.T) {
	forEachISA(t, func(t *testing.T) {
		rng := newRand()
		for n := range 40 {
			src, _ := fenced(rng, n, n%3 == 0)
			got := make([]float64, n+2)
			for i := range got {
				got[i] = rng.NormFloat64()
			}
			want := append([]float64(nil), got...)
			addFloat64(got[1:n+1], src)
			addFloat64Generic(want[1:n+1], src)
			for i := range want {
				if math.Float64bits(got[i]) != math.Float64bits(want[i]) {
					t.Fatalf("%d values: [%d] = %g, want %g", n, i-1, got[i], want[i])
				}
			}
		}
	})
}

func TestActivationAccuracy(t *testing.T) {
	// Errors in units in the last place over all of float32's range. Below 2⁻¹¹⁸ factors are subnormal, and a slope passes
	// through 0: there the unit is that of 2⁻¹¹⁸ and of 1/8.
	tests := []struct {
		act          Act
		value, slope float64
	}{
		{ActSiLU, 4, 4}, {ActGELU, 4, 4}, {ActSigmoid, 4, 4}, {ActHardSigmoid, 2, 1}, {ActHardSwish, 3, 2}, {ActTanh, 4, 4},
	}
	forEachISA(t, func(t *testing.T) {
		const stride = 5003
		x, one := make([]float32, 0, 1<<32/stride), make([]float32, 1<<32/stride)
		for b := uint64(0); b < 1<<32; b += stride {
			if v := math.Float32frombits(uint32(b)); v == v && !math.IsInf(float64(v), 0) {
				x = append(x, v)
			}
		}
		Fill(one, 1)
		y := make([]float32, len(x))
		for _, test := range tests {
			activate(test.act, y, x)
			worst, at := 0.0, float32(0)
			for i, v := range x {
				if e := ulps(y[i], test.act.Eval(float64(v)), 0x1p-118); e > worst {
					worst, at = e, v
				}
			}
			t.Logf("%s: %.2f ulp at %g", test.act, worst, at)
			if worst > test.value {
				t.Errorf("%s(%g) is off by %.1f ulp, want at most %g", test.act, at, worst, test.value)
			}
			activateBackward(test.act, y, one[:len(x)], x)
			worst, at = 0, 0
			for i, v := range x {
				if e := ulps(y[i], test.act.Slope(float64(v)), 0.125); e > worst {
					worst, at = e, v
				}
			}
			t.Logf("%s': %.2f ulp at %g", test.act, worst, at)
			if worst > test.slope {
				t.Errorf("%s'(%g) is off by %.1f ulp, want at most %g", test.act, at, worst, test.slope)
			}
		}
	})
}

// ulps returns the error of got in units in the last place of want, or of floor if that is larger.
func ulps(got float32, want, floor float64) float64 {
	_, exponent := math.Frexp(max(math.Abs(want), floor))
	return math.Abs(float64(got)-want) / math.Ldexp(1, exponent-24)
}

// benchmarkRows is a batch-norm input of ResNet-50: 16 images, 32×16 positions, 256 channels.
const benchmarkRows, benchmarkChannels = 16 * 32 * 16, 256

func BenchmarkPointwise(b *testing.B) {
	const rows, c = benchmarkRows, benchmarkChannels
	const size = rows * c
	rng := newRand()
	x, y, z, w := normal(rng, size), normal(rng, size), normal(rng, size), normal(rng, size)
	gamma, beta, mean, invstd := normal(rng, c), normal(rng, c), normal(rng, c), normal(rng, c)
	dgamma, dbeta := make([]float32, c), make([]float32, c)
	gates, dgates := normal(rng, 16*c), make([]float32, 16*c)
	rowMean, rowStd := make([]float32, rows), make([]float32, rows)
	pool := NewPool(2)
	defer pool.Close()
	norm, layer := NewBatchNorm(c, 1e-5, 0.1, ActReLU), NewLayerNorm(c, 1e-5)
	smooth := NewBatchNorm(c, 1e-5, 0.1, ActSiLU)
	ws := make([]float32, max(norm.Workspace(rows, 2), layer.Workspace(rows, 2)))
	gate, adam, add := NewChannelGate(rows/16, c), NewAdam(size), NewAdd(ActReLU)
	relu, gelu, drop := NewActivation(ActReLU), NewActivation(ActGELU), NewDropout(0.25, 1)
	average := NewAdaptiveAvgPool(32, 16, c, 1, 1)
	maximum := NewMaxPool(PoolShape{H: 32, W: 16, C: c, KH: 3, KW: 3, SH: 2, SW: 2, PH: 1, PW: 1})
	arg := make([]uint8, size/4)
	benchmarks := []struct {
		name    string
		tensors float64 // tensors read and written
		run     func()
	}{
		{"copy", 2, func() { copy(y, x) }},
		{"BatchNorm.Stats", 1, func() { norm.Stats(pool, rows, x, mean, invstd, nil, nil, ws) }},
		{"BatchNorm.Apply", 2, func() {
			norm.Apply(pool, rows, y, Normalised{X: x, Mean: mean, InvStd: invstd, Gamma: gamma, Beta: beta})
		}},
		{"BatchNorm.ApplyAdd", 3, func() {
			norm.Apply(pool, rows, y, Normalised{X: x, Add: z, Mean: mean, InvStd: invstd, Gamma: gamma, Beta: beta})
		}},
		{"BatchNorm.ApplySiLU", 2, func() {
			smooth.Apply(pool, rows, y, Normalised{X: x, Mean: mean, InvStd: invstd, Gamma: gamma, Beta: beta})
		}},
		{"BatchNorm.Backward", 5, func() {
			norm.Backward(pool, rows, y, nil, dgamma, dbeta, z, Normalised{X: x, Mean: mean, InvStd: invstd, Gamma: gamma, Beta: beta}, false, false, ws)
		}},
		{"BatchNorm.BackwardAdd", 7, func() {
			norm.Backward(pool, rows, y, w, dgamma, dbeta, z, Normalised{X: x, Add: z, Mean: mean, InvStd: invstd, Gamma: gamma, Beta: beta}, false, false, ws)
		}},
		{"BatchNorm.BackwardSiLU", 6, func() {
			smooth.Backward(pool, rows, y, nil, dgamma, dbeta, z, Normalised{X: x, Mean: mean, InvStd: invstd, Gamma: gamma, Beta: beta}, false, false, ws)
		}},
		{"LayerNorm.Forward", 2, func() { layer.Forward(pool, rows, y, x, gamma, beta, rowMean, rowStd) }},
		{"LayerNorm.Backward", 3, func() {
			layer.Backward(pool, rows, y, dgamma, dbeta, z, x, rowMean, rowStd, gamma, nil, false, ws)
		}},
		{"ReLU", 2, func() { relu.Forward(pool, size, y, x) }},
		{"GELU", 2, func() { gelu.Forward(pool, size, y, x) }},
		{"GELU.Backward", 3, func() { gelu.Backward(pool, size, y, z, x) }},
		{"Dropout", 2, func() { drop.Forward(pool, size, y, x, 1) }},
		{"Add", 3, func() { add.Forward(pool, size, y, x, z) }},
		{"ChannelGate.Forward", 2, func() { gate.Forward(pool, 16, y, x, gates) }},
		{"ChannelGate.Backward", 3, func() { gate.Backward(pool, 16, y, dgates, z, x, gates) }},
		{"AdaptiveAvgPool", 1, func() { average.Forward(pool, 16, y, x) }},
		{"MaxPool", 1.25, func() { maximum.Forward(pool, 16, y, x, arg) }},
		{"MaxPool.Backward", 1.25, func() { maximum.Backward(pool, 16, y, x, arg) }},
		{"Adam", 7, func() { adam.Step(pool, y, x, z, w, 1e-3, 0.9, 0.999, 1e-8, 0, 10) }},
	}
	for _, bench := range benchmarks {
		b.Run(fmt.Sprintf("%s/%s", bench.name, Active()), func(b *testing.B) {
			b.SetBytes(int64(4 * size * bench.tensors))
			for b.Loop() {
				bench.run()
			}
		})
	}
}
