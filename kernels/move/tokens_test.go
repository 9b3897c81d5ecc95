package move

import (
	"testing"

	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/parallel"
)

func TestMoves(t *testing.T) { kerneltest.CheckLayers(t, moveCases) }

// moveCases are the layers that put values elsewhere.
func moveCases(large bool) []kerneltest.Layer {
	n, h, w, c := 3, 3, 2, 5
	if large {
		n, h, w, c = 3, 23, 29, 51
	}
	hw := h * w
	total := n * hw * c
	flatten, upsample, columns := NewFlatten(h, w, c), NewUpsample(h, w, c, 2), NewCopyColumns()
	tokens := NewTokens(hw, c)

	return []kerneltest.Layer{
		kerneltest.NewLayer("Flatten", total, []int{total}, func(in [][]float64) []float64 {
			return kerneltest.Mapped(total, func(i int) float64 { return in[0][i/(hw*c)*hw*c+i%hw*c+i/hw%c] })
		}, func(p *parallel.Pool, k *kerneltest.Layer) {
			flatten.Forward(p, n, k.Y, k.In[0])
			flatten.Backward(p, n, k.Grads[0], k.DY)
		}),
		kerneltest.NewLayer("Upsample", 4*total, []int{total}, func(in [][]float64) []float64 {
			return kerneltest.Mapped(4*total, func(i int) float64 {
				row, col := i/(2*w*c), i/c%(2*w)
				return in[0][(row/2*w+col/2)*c+i%c]
			})
		}, func(p *parallel.Pool, k *kerneltest.Layer) {
			upsample.Forward(p, n, k.Y, k.In[0])
			upsample.Backward(p, n, k.Grads[0], k.DY)
		}),
		// two matrices side by side, the second added on top of the last columns of the first
		kerneltest.NewLayer("CopyColumns", n*hw*(c+2), []int{total, total}, func(in [][]float64) []float64 {
			return kerneltest.Mapped(n*hw*(c+2), func(i int) float64 {
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
		}, func(p *parallel.Pool, k *kerneltest.Layer) {
			rows := n * hw
			left, right := Columns{Data: k.Y, Stride: c + 2}, Columns{Data: k.Y, Stride: c + 2, Offset: 2}
			clear(k.Y)
			columns.Run(p, rows, c, left, Columns{Data: k.In[0], Stride: c}, false)
			columns.Run(p, rows, c, right, Columns{Data: k.In[1], Stride: c}, true)
			left.Data, right.Data = k.DY, k.DY
			columns.Run(p, rows, c, Columns{Data: k.Grads[0], Stride: c}, left, false)
			columns.Run(p, rows, c, Columns{Data: k.Grads[1], Stride: c}, right, false)
		}),
		kerneltest.NewLayer("Tokens.Prepend", n*(hw+1)*c, []int{total, c}, func(in [][]float64) []float64 {
			return kerneltest.Mapped(n*(hw+1)*c, func(i int) float64 {
				sample, token := i/((hw+1)*c), i/c%(hw+1)
				if token == 0 {
					return in[1][i%c]
				}
				return in[0][(sample*hw+token-1)*c+i%c]
			})
		}, func(p *parallel.Pool, k *kerneltest.Layer) {
			tokens.Prepend(p, n, k.Y, k.In[0], k.In[1])
			tokens.PrependBackward(p, n, k.Grads[0], k.Grads[1], k.DY, false)
		}),
		kerneltest.NewLayer("Tokens.AddPosition", total, []int{total, hw * c}, func(in [][]float64) []float64 {
			return kerneltest.Mapped(total, func(i int) float64 { return in[0][i] + in[1][i%(hw*c)] })
		}, func(p *parallel.Pool, k *kerneltest.Layer) {
			tokens.AddPosition(p, n, k.Y, k.In[0], k.In[1])
			copy(k.Grads[0], k.DY)
			tokens.PositionGrad(p, n, k.Grads[1], k.DY, false)
		}),
		kerneltest.NewLayer("Tokens.Select", n*c, []int{total}, func(in [][]float64) []float64 {
			return kerneltest.Mapped(n*c, func(i int) float64 { return in[0][(i/c*hw+1)*c+i%c] })
		}, func(p *parallel.Pool, k *kerneltest.Layer) {
			tokens.Select(p, n, k.Y, k.In[0], 1)
			tokens.SelectBackward(p, n, k.Grads[0], k.DY, 1)
		}),
	}
}

func TestTokensAccumulate(t *testing.T) {
	pool := parallel.NewPool(2)
	defer pool.Close()
	const n, tokens, c = 3, 4, 6
	rng := kerneltest.NewRand()
	dy, dx := kerneltest.Normal(rng, n*(tokens+1)*c), make([]float32, n*tokens*c)
	k := NewTokens(tokens, c)
	kerneltest.CheckAccumulates(t, "class token", c, func(sum []float32, accumulate bool) {
		k.PrependBackward(pool, n, dx, sum, dy, accumulate)
	})
	kerneltest.CheckAccumulates(t, "position", tokens*c, func(sum []float32, accumulate bool) {
		k.PositionGrad(pool, n, sum, dy, accumulate)
	})
}
