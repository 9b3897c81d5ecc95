package measure

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/reidbench/reidbench/kernels/attention"
	"github.com/reidbench/reidbench/kernels/conv"
	"github.com/reidbench/reidbench/kernels/measure"
	"github.com/reidbench/reidbench/kernels/mem"
)

// kernels measures a square product, and every shape of the models in each of its directions.
func (r *stopwatch) kernels(ctx context.Context) error {
	cases, err := kernelCases(r.Models)
	if err != nil {
		return err
	}
	r.bandwidth = measure.Bandwidth(r.pool, peakTime)
	if err := r.product(ctx, 1024); err != nil {
		return err
	}
	for _, k := range cases {
		directions, err := r.directions(k.shape)
		if err != nil {
			return fmt.Errorf("measuring %s: %w", k.shape, err)
		}
		for _, d := range directions {
			m := Measurement{Model: k.shape.String() + "-" + d.name, Models: k.models, Batch: r.Batch, FLOPs: d.flops}
			if err := r.bounded(ctx, m, d); err != nil {
				return fmt.Errorf("measuring %s: %w", m.Model, err)
			}
		}
	}
	return nil
}

// A direction is one of the passes of a kernel.
type direction struct {
	name  string
	flops float64 // of a step
	bytes float64 // that a step must read and write once
	step  func()
}

// bounded measures a direction and compares it with what the machine could do: as many multiply-adds as its peak, or as
// many bytes as its memory moves.
func (r *stopwatch) bounded(ctx context.Context, m Measurement, d direction) error {
	m.Bound, m.BoundGFLOPS = "multiply-adds", r.peak/1e9
	if byMemory := d.flops / d.bytes * r.bandwidth / 1e9; byMemory < m.BoundGFLOPS {
		m.Bound, m.BoundGFLOPS = "memory", byMemory
	}
	return r.measure(ctx, m, d.step, func(m *Measurement) error {
		m.BoundShare = m.GFLOPS / m.BoundGFLOPS
		return nil
	})
}

// product measures C[n,n] = A[n,n]·B[n,n]ᵀ.
func (r *stopwatch) product(ctx context.Context, n int) error {
	gemm := conv.NewLinear(n, n, r.Precision)
	a, b, c := noise(n*n), noise(n*n), mem.Allocate(n*n)
	ws := mem.Allocate(gemm.Workspace(n, r.Threads))
	d := direction{
		flops: 2 * float64(n) * float64(n) * float64(n), bytes: floatBytes(a, b, c),
		step: func() { gemm.Run(r.pool, n, c, a, b, ws) },
	}
	return r.bounded(ctx, Measurement{Model: fmt.Sprintf("gemm-%d", n), Batch: 1, FLOPs: d.flops}, d)
}

// directions makes the passes of a shape, with their operands.
func (r *stopwatch) directions(k kernelShape) ([]direction, error) {
	if k.attention.Tokens > 0 {
		return r.attention(k.attention, k.sequences), nil
	}
	return r.conv(k.conv)
}

func (r *stopwatch) conv(s conv.Shape) ([]direction, error) {
	s.Precision = r.Precision
	layer, err := conv.New(s)
	if err != nil {
		return nil, err
	}
	n := r.Batch
	x, w, dy := noise(n*s.H*s.W*s.C), noise(s.Weights()), noise(n*s.OutH()*s.OutW()*s.OutC)
	y, dx, dw := mem.Allocate(len(dy)), mem.Allocate(len(x)), mem.Allocate(len(w))
	ws := mem.Allocate(layer.Workspace(n, r.Threads))
	flops, bytes := 2*float64(n)*float64(s.MACs()), floatBytes(x, w, dy)
	return []direction{
		{"forward", flops, bytes, func() { layer.Forward(r.pool, n, y, x, w, conv.Epilogue{}, ws) }},
		{"data", flops, bytes, func() { layer.BackwardData(r.pool, n, dx, dy, w, nil, ws) }},
		{"weights", flops, bytes, func() { layer.BackwardWeights(r.pool, n, dw, nil, dy, x, false, ws) }},
	}, nil
}

// attention measures what is between q, k and v side by side and the output. What the backward pass computes again is
// not counted.
func (r *stopwatch) attention(s attention.Shape, sequences int) []direction {
	s.Precision = r.Precision
	layer := attention.New(s)
	sequences *= r.Batch
	width := s.Heads * s.HeadDim
	size := sequences * s.Tokens * width
	third := func(data []float32, i int) attention.Rows {
		return attention.Rows{Data: data[i*width:], Stride: 3 * width}
	}
	qkv, dout, out, dqkv := noise(3*size), noise(size), mem.Allocate(size), mem.Allocate(3*size)
	sums := mem.Allocate(sequences * s.Heads * s.Tokens)
	at := attention.Operands{Q: third(qkv, 0), K: third(qkv, 1), V: third(qkv, 2), LSE: sums}
	at.Out = attention.Rows{Data: out, Stride: width}
	of := attention.Gradient{DQ: third(dqkv, 0), DK: third(dqkv, 1), DV: third(dqkv, 2), At: at}
	of.DOut = attention.Rows{Data: dout, Stride: width}
	ws := mem.Allocate(layer.Workspace(r.Threads))
	flops := 2 * 2 * float64(size) * float64(s.Tokens)
	return []direction{
		{
			"forward", flops, floatBytes(qkv, out, sums),
			func() { layer.Forward(r.pool, sequences, at, ws) },
		},
		{
			"backward", 2 * flops, floatBytes(qkv, dqkv, out, dout, sums),
			func() { layer.Backward(r.pool, sequences, of, ws) },
		},
	}
}

// floatBytes is the size of some arrays.
func floatBytes(arrays ...[]float32) float64 {
	bytes := 0
	for _, a := range arrays {
		bytes += 4 * len(a)
	}
	return float64(bytes)
}

// noise is n values around zero, the same ones again after a while.
func noise(n int) []float32 {
	const period = 1 << 16
	random := rand.New(rand.NewPCG(1, 2))
	values := mem.Allocate(n)
	for i := range min(n, period) {
		values[i] = 2*random.Float32() - 1
	}
	for done := period; done < n; done *= 2 {
		copy(values[done:], values[:done])
	}
	return values
}
