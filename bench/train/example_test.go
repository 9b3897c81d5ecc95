package train_test

import (
	"fmt"
	"log"

	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/models/graph"
)

// A network of one convolution learns to tell dark images from bright ones.
func Example() {
	b := graph.NewBuilder("tiny", graph.Shape{H: 8, W: 4, C: 3})
	x := b.Conv("conv", b.Input(), graph.Conv{Out: 16, Kernel: graph.Square(3), Pad: graph.Square(1)})
	features := b.GlobalAvgPool("pool", b.ReLU("relu", b.BatchNorm("norm", x)))
	g, err := b.Graph(features, b.Linear("classifier", features, 2))
	if err != nil {
		log.Fatal(err)
	}

	pool := parallel.NewPool(2)
	defer pool.Close()
	weights := train.NewWeights(g, 5)
	const batch = 4
	program, err := train.Compile(g, weights, pool, train.Options{Batch: batch, Stage: train.Everything})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("fused:", program.Fused())

	images, labels := program.Images(), program.Labels()
	for i := range batch {
		class := i % 2
		labels[i] = int32(class)
		image := images[i*g.Input.Shape.Size():][:g.Input.Shape.Size()]
		for j := range image {
			image[j] = float32(class) + float32(j%5)/10
		}
	}
	adam := train.NewAdam(weights, train.Everything, 5e-4)
	for step := range 3 {
		loss := program.Train(batch, uint64(step))
		adam.Step(program, 1e-2)
		fmt.Printf("step %d: loss %.2f, %d of %d right\n", step, loss, program.Correct(batch), batch)
	}
	// Output:
	// fused: map[activation:1 means:1 statistics:1]
	// step 0: loss 0.98, 0 of 4 right
	// step 1: loss 0.73, 2 of 4 right
	// step 2: loss 0.54, 4 of 4 right
}
