package kernels

import (
	"testing"
)

func TestPointwise(t *testing.T) { checkLayers(t, pointwiseCases) }

// pointwiseCases are sums, products, gates and dropouts.
func pointwiseCases(large bool) []layerCase {
	size, n, h, w, c := 90, 3, 3, 2, 5
	if large {
		size, n, h, w, c = 2*taskFloats+13, 3, 23, 29, 51
	}
	hw := h * w
	total := n * hw * c

	add, product, scale, scaleAdd := NewAdd(ActSiLU), NewMul(), NewScale(-0.75), NewScale(1.5)
	gate, channel := NewChannelGate(hw, c), NewChannelScale(c)
	channelSpace := make([]float32, channel.Workspace(n*hw, 5))
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
		simpleCase("Dropout", size, []int{size}, func(in [][]float64) []float64 {
			return mapped(size, func(i int) float64 {
				word := uint32(counterHash(7, 5, uint64(i/2)) >> (i % 2 * 32))
				return in[0][i] * oneIf(float64(word) >= 0.3*(1<<32)) / 0.7
			})
		}, func(p *Pool, k *layerCase) {
			dropout.Forward(p, size, k.y, k.in[0], 5)
			dropout.Backward(p, size, k.grads[0], k.dy, 5)
		}),
		simpleCase("DropPath", total, []int{total}, func(in [][]float64) []float64 {
			return mapped(total, func(i int) float64 {
				word := uint32(counterHash(7, 5, uint64(i/(hw*c))))
				return in[0][i] * oneIf(float64(word) >= 0.4*(1<<32)) / 0.6
			})
		}, func(p *Pool, k *layerCase) {
			dropPath.Forward(p, n, hw*c, k.y, k.in[0], 5)
			dropPath.Backward(p, n, hw*c, k.grads[0], k.dy, 5)
		}),
	}
}

func TestChannelScaleAccumulates(t *testing.T) {
	pool := NewPool(2)
	defer pool.Close()
	const rows, c = 12, 6
	rng := newRand()
	dy, x, gamma := normal(rng, rows*c), normal(rng, rows*c), normal(rng, c)
	channel := NewChannelScale(c)
	ws, dx := make([]float32, channel.Workspace(rows, 2)), make([]float32, rows*c)
	checkAccumulates(t, "gradient of the factors", c, func(sum []float32, accumulate bool) {
		channel.Backward(pool, rows, dx, sum, dy, x, gamma, accumulate, ws)
	})
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
