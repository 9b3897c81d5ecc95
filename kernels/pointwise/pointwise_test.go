package pointwise

import (
	"testing"

	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/parallel"
)

func TestPointwise(t *testing.T) { kerneltest.CheckLayers(t, pointwiseCases) }

// pointwiseCases are sums, products, gates and dropouts.
func pointwiseCases(large bool) []kerneltest.Layer {
	size, n, h, w, c := 90, 3, 3, 2, 5
	if large {
		size, n, h, w, c = 2*parallel.TaskFloats+13, 3, 23, 29, 51
	}
	hw := h * w
	total := n * hw * c

	add, product, scale, scaleAdd := NewAdd(act.SiLU), NewMul(), NewScale(-0.75), NewScale(1.5)
	gate, channel := NewChannelGate(hw, c), NewChannelScale(c)
	channelSpace := make([]float32, channel.Workspace(n*hw, 5))
	dropout, dropPath := NewDropout(0.3, 7), NewDropPath(0.4, 7)
	z := make([]float32, size)

	return []kerneltest.Layer{
		kerneltest.NewLayer("Add SiLU", size, []int{size, size}, func(in [][]float64) []float64 {
			return kerneltest.Mapped(size, func(i int) float64 { return act.SiLU.Eval(in[0][i] + in[1][i]) })
		}, func(p *parallel.Pool, k *kerneltest.Layer) {
			add.Forward(p, size, k.Y, k.In[0], k.In[1])
			for i := range z {
				z[i] = k.In[0][i] + k.In[1][i]
			}
			act.Backward(act.SiLU, k.Grads[0], k.DY, z)
			copy(k.Grads[1], k.Grads[0])
		}),
		kerneltest.NewLayer("Product", size, []int{size, size}, func(in [][]float64) []float64 {
			return kerneltest.Mapped(size, func(i int) float64 { return in[0][i] * in[1][i] })
		}, func(p *parallel.Pool, k *kerneltest.Layer) {
			product.Forward(p, size, k.Y, k.In[0], k.In[1])
			product.Backward(p, size, k.Grads[0], k.Grads[1], k.DY, k.In[0], k.In[1])
		}),
		kerneltest.NewLayer("Scale", size, []int{size}, func(in [][]float64) []float64 {
			return kerneltest.Mapped(size, func(i int) float64 { return -0.75 * in[0][i] })
		}, func(p *parallel.Pool, k *kerneltest.Layer) {
			scale.Forward(p, size, k.Y, k.In[0], nil)
			scale.Forward(p, size, k.Grads[0], k.DY, nil)
		}),
		kerneltest.NewLayer("Scale and add", size, []int{size, size}, func(in [][]float64) []float64 {
			return kerneltest.Mapped(size, func(i int) float64 { return 1.5*in[0][i] + in[1][i] })
		}, func(p *parallel.Pool, k *kerneltest.Layer) {
			scaleAdd.Forward(p, size, k.Y, k.In[0], k.In[1])
			scaleAdd.Forward(p, size, k.Grads[0], k.DY, nil)
			copy(k.Grads[1], k.DY)
		}),
		kerneltest.NewLayer("ChannelGate", total, []int{total, n * c}, func(in [][]float64) []float64 {
			return kerneltest.Mapped(total, func(i int) float64 { return in[0][i] * in[1][i/(hw*c)*c+i%c] })
		}, func(p *parallel.Pool, k *kerneltest.Layer) {
			gate.Forward(p, n, k.Y, k.In[0], k.In[1])
			copy(k.Grads[0], k.DY)
			gate.Backward(p, n, k.Grads[0], k.Grads[1], k.Grads[0], k.In[0], k.In[1])
		}),
		kerneltest.NewLayer("ChannelScale", total, []int{total, c}, func(in [][]float64) []float64 {
			return kerneltest.Mapped(total, func(i int) float64 { return in[0][i] * in[1][i%c] })
		}, func(p *parallel.Pool, k *kerneltest.Layer) {
			channel.Forward(p, n*hw, k.Y, k.In[0], k.In[1])
			channel.Backward(p, n*hw, k.Grads[0], k.Grads[1], k.DY, k.In[0], k.In[1], false, channelSpace)
		}),
		kerneltest.NewLayer("Dropout", size, []int{size}, func(in [][]float64) []float64 {
			return kerneltest.Mapped(size, func(i int) float64 {
				word := uint32(counterHash(7, 5, uint64(i/2)) >> (i % 2 * 32))
				return in[0][i] * oneIf(float64(word) >= 0.3*(1<<32)) / 0.7
			})
		}, func(p *parallel.Pool, k *kerneltest.Layer) {
			dropout.Forward(p, size, k.Y, k.In[0], 5)
			dropout.Backward(p, size, k.Grads[0], k.DY, 5)
		}),
		kerneltest.NewLayer("DropPath", total, []int{total}, func(in [][]float64) []float64 {
			return kerneltest.Mapped(total, func(i int) float64 {
				word := uint32(counterHash(7, 5, uint64(i/(hw*c))))
				return in[0][i] * oneIf(float64(word) >= 0.4*(1<<32)) / 0.6
			})
		}, func(p *parallel.Pool, k *kerneltest.Layer) {
			dropPath.Forward(p, n, hw*c, k.Y, k.In[0], 5)
			dropPath.Backward(p, n, hw*c, k.Grads[0], k.DY, 5)
		}),
	}
}

func TestChannelScaleAccumulates(t *testing.T) {
	pool := parallel.NewPool(2)
	defer pool.Close()
	const rows, c = 12, 6
	rng := kerneltest.NewRand()
	dy, x, gamma := kerneltest.Normal(rng, rows*c), kerneltest.Normal(rng, rows*c), kerneltest.Normal(rng, c)
	channel := NewChannelScale(c)
	ws, dx := make([]float32, channel.Workspace(rows, 2)), make([]float32, rows*c)
	kerneltest.CheckAccumulates(t, "gradient of the factors", c, func(sum []float32, accumulate bool) {
		channel.Backward(pool, rows, dx, sum, dy, x, gamma, accumulate, ws)
	})
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
