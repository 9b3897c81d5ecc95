package attention

import (
	"math"
	"testing"

	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/parallel"
)

func TestSoftmax(t *testing.T) {
	kerneltest.CheckLayers(t, func(large bool) []kerneltest.Layer {
		rows, c := 18, 5
		if large {
			rows, c = 3*23*29, 51
		}
		total, softmax := rows*c, NewSoftmax(c)
		return []kerneltest.Layer{
			kerneltest.NewLayer("Softmax", total, []int{total}, func(in [][]float64) []float64 {
				return kerneltest.Mapped(total, func(i int) float64 {
					sum := 0.0
					for _, v := range in[0][i/c*c : (i/c+1)*c] {
						sum += math.Exp(v)
					}
					return math.Exp(in[0][i]) / sum
				})
			}, func(p *parallel.Pool, k *kerneltest.Layer) {
				softmax.Forward(p, rows, k.Y, k.In[0])
				softmax.Backward(p, rows, k.Grads[0], k.DY, k.Y)
			}),
		}
	})
}
