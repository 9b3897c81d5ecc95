package kernels

import (
	"math"
	"testing"
)

// simpleCase is a layer given by two closures, with random inputs of the given sizes.
func simpleCase(name string, outputs int, sizes []int, forward func(in [][]float64) []float64, run func(p *Pool, k *layerCase)) layerCase {
	rng := newRand()
	k := layerCase{name: name, dy: normal(rng, outputs), y: make([]float32, outputs), forward: forward}
	for _, size := range sizes {
		k.in = append(k.in, normal(rng, size))
	}
	k.grads = makeSlices(k.in)
	c := &k
	k.run = func(p *Pool) { run(p, c) }
	return k
}

// mapped returns the slice of f(i).
func mapped(n int, f func(i int) float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = f(i)
	}
	return out
}

// pointwiseCases are the small layers: sums, products, gates, copies, tokens, softmax.
func pointwiseCases(large bool) []layerCase {
	size, n, h, w, c := 90, 3, 3, 2, 5
	if large {
		size, n, h, w, c = 2*taskFloats+13, 3, 23, 29, 51
	}
	hw := h * w
	total := n * hw * c

	add, product, scale, scaleAdd := NewAdd(ActSiLU), NewProduct(), NewScale(-0.75), NewScale(1.5)
	gate, channel := NewChannelGate(hw, c), NewChannelScale(c)
	channelSpace := make([]float32, channel.Workspace(n*hw, 5))
	flatten, upsample, columns := NewFlatten(h, w, c), NewUpsample(h, w, c, 2), NewCopyColumns()
	tokens, softmax := NewTokens(hw, c), NewSoftmax(c)
	dropout, dropPath := NewDropout(0.3, 7), NewDropPath(0.4, 7)
	z := make([]float32, size)

	return []layerCase{
		simpleCase("Add SiLU", size, []int{size, size}, func(in [][]float64) []float64 {
			return mapped(size, func(i int) float64 { return ActSiLU.Eval(in[0][i] + in[1][i]) })
		}, func(p *Pool, k *layerCase) {
			add.Forward(p, size, k.y, k.in[0], k.in[1])
			for i := range z {
				z[i] = k.in[0][i] + k.in[1][i]
			}
			activateBackward(ActSiLU, k.grads[0], k.dy, z)
			copy(k.grads[1], k.grads[0])
		}),
		simpleCase("Product", size, []int{size, size}, func(in [][]float64) []float64 {
			return mapped(size, func(i int) float64 { return in[0][i] * in[1][i] })
		}, func(p *Pool, k *layerCase) {
			product.Forward(p, size, k.y, k.in[0], k.in[1])
			product.Backward(p, size, k.grads[0], k.grads[1], k.dy, k.in[0], k.in[1])
		}),
		simpleCase("Scale", size, []int{size}, func(in [][]float64) []float64 {
			return mapped(size, func(i int) float64 { return -0.75 * in[0][i] })
		}, func(p *Pool, k *layerCase) {
			scale.Forward(p, size, k.y, k.in[0], nil)
			scale.Forward(p, size, k.grads[0], k.dy, nil)
		}),
		simpleCase("Scale and add", size, []int{size, size}, func(in [][]float64) []float64 {
			return mapped(size, func(i int) float64 { return 1.5*in[0][i] + in[1][i] })
		}, func(p *Pool, k *layerCase) {
			scaleAdd.Forward(p, size, k.y, k.in[0], k.in[1])
			scaleAdd.Forward(p, size, k.grads[0], k.dy, nil)
			copy(k.grads[1], k.dy)
		}),
		simpleCase("ChannelGate", total, []int{total, n * c}, func(in [][]float64) []float64 {
			return mapped(total, func(i int) float64 { return in[0][i] * in[1][i/(hw*c)*c+i%c] })
		}, func(p *Pool, k *layerCase) {
			gate.Forward(p, n, k.y, k.in[0], k.in[1])
			copy(k.grads[0], k.dy)
			gate.Backward(p, n, k.grads[0], k.grads[1], k.grads[0], k.in[0], k.in[1])
		}),
		simpleCase("ChannelScale", total, []int{total, c}, func(in [][]float64) []float64 {
			return mapped(total, func(i int) float64 { return in[0][i] * in[1][i%c] })
		}, func(p *Pool, k *layerCase) {
			channel.Forward(p, n*hw, k.y, k.in[0], k.in[1])
			channel.Backward(p, n*hw, k.grads[0], k.grads[1], k.dy, k.in[0], k.in[1], false, channelSpace)
		}),
		simpleCase("Flatten", total, []int{total}, func(in [][]float64) []float64 {
			return mapped(total, func(i int) float64 { return in[0][i/(hw*c)*hw*c+i%hw*c+i/hw%c] })
		}, func(p *Pool, k *layerCase) {
			flatten.Forward(p, n, k.y, k.in[0])
			flatten.Backward(p, n, k.grads[0], k.dy)
		}),
		simpleCase("UpsampleNearest", 4*total, []int{total}, func(in [][]float64) []float64 {
			return mapped(4*total, func(i int) float64 {
				row, col := i/(2*w*c), i/c%(2*w)
				return in[0][(row/2*w+col/2)*c+i%c]
			})
		}, func(p *Pool, k *layerCase) {
			upsample.Forward(p, n, k.y, k.in[0])
			upsample.Backward(p, n, k.grads[0], k.dy)
		}),
		// two matrices side by side, the second added on top of the last columns of the first
		simpleCase("CopyColumns", n*hw*(c+2), []int{total, total}, func(in [][]float64) []float64 {
			return mapped(n*hw*(c+2), func(i int) float64 {
				row, col := i/(c+2), i%(c+2)
				sum := 0.0
				if col < c {
					sum += in[0][row*c+col]
				}
				if col >= 2 {
					sum += in[1][row*c+col-2]
				}
				return sum
			})
		}, func(p *Pool, k *layerCase) {
			rows := n * hw
			left, right := Columns{Data: k.y, Stride: c + 2}, Columns{Data: k.y, Stride: c + 2, Offset: 2}
			Zero(k.y)
			columns.Run(p, rows, c, left, Columns{Data: k.in[0], Stride: c}, false)
			columns.Run(p, rows, c, right, Columns{Data: k.in[1], Stride: c}, true)
			left.Data, right.Data = k.dy, k.dy
			columns.Run(p, rows, c, Columns{Data: k.grads[0], Stride: c}, left, false)
			columns.Run(p, rows, c, Columns{Data: k.grads[1], Stride: c}, right, false)
		}),
		simpleCase("Tokens.Prepend", n*(hw+1)*c, []int{total, c}, func(in [][]float64) []float64 {
			return mapped(n*(hw+1)*c, func(i int) float64 {
				sample, token := i/((hw+1)*c), i/c%(hw+1)
				if token == 0 {
					return in[1][i%c]
				}
				return in[0][(sample*hw+token-1)*c+i%c]
			})
		}, func(p *Pool, k *layerCase) {
			tokens.Prepend(p, n, k.y, k.in[0], k.in[1])
			tokens.PrependBackward(p, n, k.grads[0], k.grads[1], k.dy, false)
		}),
		simpleCase("Tokens.AddPosition", total, []int{total, hw * c}, func(in [][]float64) []float64 {
			return mapped(total, func(i int) float64 { return in[0][i] + in[1][i%(hw*c)] })
		}, func(p *Pool, k *layerCase) {
			tokens.AddPosition(p, n, k.y, k.in[0], k.in[1])
			copy(k.grads[0], k.dy)
			tokens.PositionGrad(p, n, k.grads[1], k.dy, false)
		}),
		simpleCase("Tokens.Select", n*c, []int{total}, func(in [][]float64) []float64 {
			return mapped(n*c, func(i int) float64 { return in[0][(i/c*hw+1)*c+i%c] })
		}, func(p *Pool, k *layerCase) {
			tokens.Select(p, n, k.y, k.in[0], 1)
			tokens.SelectBackward(p, n, k.grads[0], k.dy, 1)
		}),
		simpleCase("Softmax", total, []int{total}, func(in [][]float64) []float64 {
			return mapped(total, func(i int) float64 {
				sum := 0.0
				for _, v := range in[0][i/c*c : (i/c+1)*c] {
					sum += math.Exp(v)
				}
				return math.Exp(in[0][i]) / sum
			})
		}, func(p *Pool, k *layerCase) {
			softmax.Forward(p, n*hw, k.y, k.in[0])
			softmax.Backward(p, n*hw, k.grads[0], k.dy, k.y)
		}),
		simpleCase("Dropout", size, []int{size}, func(in [][]float64) []float64 {
			return mapped(size, func(i int) float64 {
				word := uint32(counterHash(7, 5, uint64(i/2)) >> (i % 2 * 32))
				return in[0][i] * indicator(float64(word) >= 0.3*(1<<32)) / 0.7
			})
		}, func(p *Pool, k *layerCase) {
			dropout.Forward(p, size, k.y, k.in[0], 5)
			dropout.Backward(p, size, k.grads[0], k.dy, 5)
		}),
		simpleCase("DropPath", total, []int{total}, func(in [][]float64) []float64 {
			return mapped(total, func(i int) float64 {
				word := uint32(counterHash(7, 5, uint64(i/(hw*c))))
				return in[0][i] * indicator(float64(word) >= 0.4*(1<<32)) / 0.6
			})
		}, func(p *Pool, k *layerCase) {
			dropPath.Forward(p, n, hw*c, k.y, k.in[0], 5)
			dropPath.Backward(p, n, hw*c, k.grads[0], k.dy, 5)
		}),
	}
}

func TestGradientSumsAccumulate(t *testing.T) {
	pool := NewPool(2)
	defer pool.Close()
	const n, tokens, c = 3, 4, 6
	rng := newRand()
	dy, x := normal(rng, n*(tokens+1)*c), normal(rng, n*tokens*c)
	gamma := normal(rng, c)
	k := NewTokens(tokens, c)
	channel := NewChannelScale(c)
	ws := make([]float32, channel.Workspace(n*tokens, 2))
	dx := make([]float32, len(x))
	tests := map[string]struct {
		size int
		run  func(sum []float32, accumulate bool)
	}{
		"class token": {c, func(sum []float32, accumulate bool) { k.PrependBackward(pool, n, dx, sum, dy, accumulate) }},
		"position":    {tokens * c, func(sum []float32, accumulate bool) { k.PositionGrad(pool, n, sum, dy, accumulate) }},
		"channelscale": {c, func(sum []float32, accumulate bool) {
			channel.Backward(pool, n*tokens, dx, sum, dy, x, gamma, accumulate, ws)
		}},
	}
	for name, test := range tests {
		once, twice := normal(rng, test.size), make([]float32, test.size)
		test.run(once, false)
		test.run(twice, true)
		test.run(twice, true)
		for i := range once {
			once[i] *= 2
		}
		checkClose(t, name, twice, toFloat64(once), 1e-6)
	}
}
