package bench

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/reidbench/reidbench/kernels"
)

// kernelShapes are the convolutions that most of the published rows' time goes into: one of
// each kind, at the sizes of a 256×128 image.
var kernelShapes = []struct {
	name  string
	shape kernels.ConvShape
}{
	{"stem7x7", kernels.ConvShape{H: 256, W: 128, C: 3, OutC: 64, KH: 7, KW: 7, SH: 2, SW: 2, PH: 3, PW: 3, Groups: 1}},
	{"conv3x3-64", kernels.ConvShape{H: 64, W: 32, C: 64, OutC: 64, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1}},
	{"conv3x3-256", kernels.ConvShape{H: 16, W: 8, C: 256, OutC: 256, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1}},
	{"conv1x1-256-64", kernels.ConvShape{H: 64, W: 32, C: 256, OutC: 64, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}},
	{"conv1x1-512-2048", kernels.ConvShape{H: 8, W: 4, C: 512, OutC: 2048, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}},
	{"conv3x3-256-groups32", kernels.ConvShape{H: 32, W: 16, C: 256, OutC: 256, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 32}},
	{"depthwise3x3-96", kernels.ConvShape{H: 64, W: 32, C: 96, OutC: 96, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 96}},
	{"depthwise5x5-240", kernels.ConvShape{H: 16, W: 8, C: 240, OutC: 240, KH: 5, KW: 5, SH: 1, SW: 1, PH: 2, PW: 2, Groups: 240}},
	{"linear-768-3072", kernels.ConvShape{H: 1, W: 129, C: 768, OutC: 3072, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}},
}

// kernels measures a square product and each convolution in its three directions.
func (r *stopwatch) kernels(ctx context.Context) error {
	if err := r.product(ctx, 1024); err != nil {
		return err
	}
	for _, k := range kernelShapes {
		if err := r.conv(ctx, k.name, k.shape); err != nil {
			return fmt.Errorf("measuring %s: %w", k.name, err)
		}
	}
	return nil
}

// product measures C[n,n] = A[n,n]·B[n,n]ᵀ.
func (r *stopwatch) product(ctx context.Context, n int) error {
	gemm := r.Precision.NewGemm(n, n)
	a, b, c := noise(n*n), noise(n*n), kernels.Allocate(n*n)
	ws := kernels.Allocate(gemm.Workspace(n, r.Threads))
	m := Measurement{Model: fmt.Sprintf("gemm-%d", n), Batch: 1, FLOPs: 2 * float64(n) * float64(n) * float64(n)}
	return r.measure(ctx, m, func() { gemm.Run(r.pool, n, c, a, b, ws) }, nil)
}

func (r *stopwatch) conv(ctx context.Context, name string, s kernels.ConvShape) error {
	conv, err := r.Precision.NewConv(s)
	if err != nil {
		return err
	}
	n := r.Batch
	x, w, dy := noise(n*s.H*s.W*s.C), noise(s.Weights()), noise(n*s.OutH()*s.OutW()*s.OutC)
	y, dx, dw := kernels.Allocate(len(dy)), kernels.Allocate(len(x)), kernels.Allocate(len(w))
	ws := kernels.Allocate(conv.Workspace(n, r.Threads))
	flops := 2 * float64(n) * float64(s.MACs())
	for _, direction := range []struct {
		name string
		step func()
	}{
		{"forward", func() { conv.Forward(r.pool, n, y, x, w, kernels.Epilogue{}, ws) }},
		{"data", func() { conv.BackwardData(r.pool, n, dx, dy, w, nil, ws) }},
		{"weights", func() { conv.BackwardWeights(r.pool, n, dw, nil, dy, x, false, ws) }},
	} {
		m := Measurement{Model: name + "-" + direction.name, Batch: n, FLOPs: flops}
		if err := r.measure(ctx, m, direction.step, nil); err != nil {
			return err
		}
	}
	return nil
}

// noise is n values around zero.
func noise(n int) []float32 {
	random := rand.New(rand.NewPCG(1, 2))
	values := kernels.Allocate(n)
	for i := range values {
		values[i] = 2*random.Float32() - 1
	}
	return values
}
