package kernels

import (
	"math"
	"testing"
)

func TestSoftmax(t *testing.T) {
	checkLayers(t, func(large bool) []layerCase {
		rows, c := 18, 5
		if large {
			rows, c = 3*23*29, 51
		}
		total, softmax := rows*c, NewSoftmax(c)
		return []layerCase{
			simpleCase("Softmax", total, []int{total}, func(in [][]float64) []float64 {
				return mapped(total, func(i int) float64 {
					sum := 0.0
					for _, v := range in[0][i/c*c : (i/c+1)*c] {
						sum += math.Exp(v)
					}
					return math.Exp(in[0][i]) / sum
				})
			}, func(p *Pool, k *layerCase) {
				softmax.Forward(p, rows, k.y, k.in[0])
				softmax.Backward(p, rows, k.grads[0], k.dy, k.y)
			}),
		}
	})
}
