package conv_test

import (
	"fmt"

	"github.com/reidbench/reidbench/kernels/conv"
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// Two rows of three inputs through a linear layer of two outputs, without a bias.
func ExampleLinear() {
	pool := parallel.NewPool(2)
	defer pool.Close()

	layer := conv.NewLinear(2, 3, gemm.FP32)
	x := []float32{1, 2, 3, 4, 5, 6}
	w := []float32{1, 0, 0, 0, 1, 1} // [outputs, inputs]
	y := make([]float32, 2*2)
	workspace := make([]float32, layer.Workspace(2, pool.Threads()))
	layer.Run(pool, 2, y, x, w, workspace)
	fmt.Println(y)
	// Output: [1 5 4 11]
}

// The forward pass of a 3×3 convolution of one image of 4×4 pixels, each of which sees its neighbours and itself.
func ExampleConv() {
	pool := parallel.NewPool(2)
	defer pool.Close()

	c, err := conv.New(conv.Shape{
		H: 4, W: 4, C: 1, OutC: 1, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ones := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = 1
		}
		return x
	}
	y := make([]float32, 4*4)
	workspace := make([]float32, c.Workspace(1, pool.Threads()))
	c.Forward(pool, 1, y, ones(4*4), ones(3*3), conv.Epilogue{}, workspace)
	for row := range 4 {
		fmt.Println(y[4*row:][:4])
	}
	// Output:
	// [4 6 6 4]
	// [6 9 9 6]
	// [6 9 9 6]
	// [4 6 6 4]
}
