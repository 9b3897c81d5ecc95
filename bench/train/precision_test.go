package train

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/models/graph"
)

// mixed has a bottleneck, a strided and a grouped convolution, and a block of a transformer.
func mixed(t *testing.T) *graph.Graph {
	t.Helper()
	b := graph.NewBuilder("mixed", graph.Shape{H: 16, W: 8, C: 3})
	square := func(out int) graph.Conv {
		return graph.Conv{Out: out, Kernel: graph.Square(3), Pad: graph.Square(1)}
	}
	x := b.ReLU("r0", b.BatchNorm("n0", b.Conv("c0", b.Input(), square(32))))
	y := b.ReLU("r1", b.BatchNorm("n1", b.Conv("c1", x, graph.Conv{Out: 24, Kernel: graph.Square(1)})))
	y = b.ReLU("r2", b.BatchNorm("n2", b.Conv("c2", y, square(24))))
	x = b.ReLU("r3", b.Add("a3", b.BatchNorm("n3", b.Conv("c3", y, graph.Conv{Out: 32, Kernel: graph.Square(1)})), x))
	down := square(48)
	down.Stride, down.Bias = graph.Square(2), true
	x = b.Conv("c4", x, down)
	x = b.Op("t", graph.Reshape{To: graph.Shape{H: 1, W: x.Shape.Positions(), C: x.Shape.C}}, x)
	x = b.Position("pos", b.ClassToken("cls", x))
	y = b.Op("att", graph.Attention{Heads: 4}, b.Linear("qkv", b.LayerNorm("n5", x, 1e-6), 144))
	x = b.Add("a5", x, b.Linear("o5", y, 48))
	x = b.Add("a6", x, b.Linear("o6", b.Act("g6", b.Linear("i6", b.LayerNorm("n6", x, 1e-6), 96), graph.GELU), 48))
	x = b.Op("sel", graph.Token{Index: 0}, x)
	g, err := b.Graph(x, b.Linear("classifier", x, 5))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// trainedLosses are the losses of a training on images of five patterns in noise.
func trainedLosses(t *testing.T, precision gemm.Precision, threads, steps int) []float64 {
	t.Helper()
	const batch = 32
	g := mixed(t)
	w := NewWeights(g, 7)
	pool := parallel.NewPool(threads)
	defer pool.Close()
	p, err := Compile(g, w, pool, Options{Batch: batch, Stage: Everything, Precision: precision})
	if err != nil {
		t.Fatal(err)
	}
	adam := NewAdam(w, Everything, 5e-4)
	r := rand.New(rand.NewPCG(1, 2))
	patterns := make([]float32, 5*g.Input.Shape.Size())
	for i := range patterns {
		patterns[i] = float32(1.0 * r.NormFloat64())
	}
	var losses []float64
	for step := range steps {
		size := g.Input.Shape.Size()
		for i := range batch {
			label := r.IntN(5)
			p.Labels()[i] = int32(label)
			for j, v := range patterns[label*size:][:size] {
				p.Images()[i*size+j] = v + float32(r.NormFloat64())
			}
		}
		losses = append(losses, p.Train(batch, uint64(step)))
		adam.Step(p, 5e-4)
	}
	return losses
}

// TestLossesOfBF16 compares the losses of a training with those of float32, averaged over tens of steps: they fall as
// far, to within 2 %. The same training on more threads has the same ones.
func TestLossesOfBF16(t *testing.T) {
	if err := gemm.BF16.Available(); err != nil {
		t.Skip(err)
	}
	const steps, window = 70, 10
	want, got := trainedLosses(t, gemm.FP32, 2, steps), trainedLosses(t, gemm.BF16, 2, steps)
	for i, loss := range trainedLosses(t, gemm.BF16, 3, 3) {
		if loss != got[i] {
			t.Errorf("step %d: loss %v with 3 threads, %v with 2", i, loss, got[i])
		}
	}
	if got[0] == want[0] {
		t.Error("nothing has been rounded")
	}
	mean := func(x []float64) (sum float64) {
		for _, v := range x {
			sum += v / float64(len(x))
		}
		return sum
	}
	for from := 0; from < steps; from += window {
		w, g := mean(want[from:from+window]), mean(got[from:from+window])
		t.Logf("steps %d to %d: loss %.4f, %.4f in bf16", from, from+window, w, g)
		if math.Abs(g-w) > 0.02*w {
			t.Errorf("steps %d to %d: loss %.4f in bf16, %.4f in fp32", from, from+window, g, w)
		}
	}
	if last := mean(want[steps-window:]); last > want[0]/2 {
		t.Errorf("a loss of %.4f at the end, %.4f at the beginning: nothing has been learnt", last, want[0])
	}
}

func TestCompileRefusesPrecision(t *testing.T) {
	if gemm.BF16.Available() == nil {
		t.Skip("bf16 is available here")
	}
	g := mixed(t)
	pool := parallel.NewPool(1)
	defer pool.Close()
	_, err := Compile(g, NewWeights(g, 1), pool, Options{Batch: 1, Precision: gemm.BF16})
	if !errors.Is(err, gemm.ErrPrecision) {
		t.Errorf("error %v, want one about the precision", err)
	}
}
