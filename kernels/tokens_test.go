package kernels

import (
	"testing"
)

func TestMoves(t *testing.T) { checkLayers(t, moveCases) }

// moveCases are the layers that put values elsewhere.
func moveCases(large bool) []layerCase {
	n, h, w, c := 3, 3, 2, 5
	if large {
		n, h, w, c = 3, 23, 29, 51
	}
	hw := h * w
	total := n * hw * c
	flatten, upsample, columns, tokens := NewFlatten(h, w, c), NewUpsample(h, w, c, 2), NewCopyColumns(), NewTokens(hw, c)

	return []layerCase{
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
			clear(k.y)
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
	}
}

func TestTokensAccumulate(t *testing.T) {
	pool := NewPool(2)
	defer pool.Close()
	const n, tokens, c = 3, 4, 6
	rng := newRand()
	dy, dx := normal(rng, n*(tokens+1)*c), make([]float32, n*tokens*c)
	k := NewTokens(tokens, c)
	checkAccumulates(t, "class token", c, func(sum []float32, accumulate bool) {
		k.PrependBackward(pool, n, dx, sum, dy, accumulate)
	})
	checkAccumulates(t, "position", tokens*c, func(sum []float32, accumulate bool) {
		k.PositionGrad(pool, n, sum, dy, accumulate)
	})
}
