package train_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/bench/weights"
	"github.com/reidbench/reidbench/flops"
	"github.com/reidbench/reidbench/kernels"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/models/graph"
)

// TestEveryModel trains a step of every registered model on two images and saves and loads it.
// With -short it leaves out those beyond a billion multiplications an image.
func TestEveryModel(t *testing.T) {
	pool := kernels.NewPool(2)
	t.Cleanup(pool.Close)
	for _, m := range models.All() {
		t.Run(m.Name, func(t *testing.T) {
			if m.Input == models.PersonImage {
				m.Input = graph.Shape{H: 128, W: 96, C: 3} // about the smallest that Inception's stem takes
			}
			g, err := m.Graph(10)
			if err != nil {
				t.Fatal(err)
			}
			cost, err := flops.Count(g)
			if err != nil {
				t.Fatal(err)
			}
			if testing.Short() && cost.Total.MACs() > 1e9 {
				t.Skip("large")
			}
			checkNames(t, g)
			w := train.NewWeights(g, 1)
			checkSaving(t, g, w)
			checkStep(t, g, w, pool)
		})
	}
}

func checkNames(t *testing.T, g *graph.Graph) {
	t.Helper()
	seen := map[string]bool{}
	for _, n := range g.Nodes {
		if seen[n.Name] {
			t.Errorf("two nodes are called %s", n.Name)
		}
		seen[n.Name] = true
	}
	names := train.NewWeights(g, 0).Names()
	slices.Sort(names)
	if unique := slices.Compact(slices.Clone(names)); len(unique) != len(names) {
		t.Errorf("%d names for %d tensors", len(unique), len(names))
	}
}

func checkStep(t *testing.T, g *graph.Graph, w *train.Weights, pool *kernels.Pool) {
	t.Helper()
	const batch = 2
	p, err := train.Compile(g, w, pool, train.Options{Batch: batch, Stage: train.Everything})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range p.Images() {
		p.Images()[i] = float32(r.NormFloat64())
	}
	p.Labels()[0], p.Labels()[1] = 3, 7
	if loss := p.Train(batch, 0); !finite(loss) || loss <= 0 {
		t.Errorf("loss %v", loss)
	}
	for what, values := range map[string][]float32{"features": p.Features(batch), "logits": p.Logits(batch)} {
		if i := slices.IndexFunc(values, func(v float32) bool { return !finite(float64(v)) }); i >= 0 {
			t.Errorf("%s[%d] = %v", what, i, values[i])
		}
	}
	for _, param := range g.Params {
		gradient := p.Gradient(param.Name)
		sum := 0.0 // of absolute values: finite exactly if all are
		for _, v := range gradient {
			sum += math.Abs(float64(v))
		}
		if !finite(sum) {
			t.Errorf("gradient of %s: %v", param.Name, sum)
		}
	}
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func checkSaving(t *testing.T, g *graph.Graph, w *train.Weights) {
	t.Helper()
	var tensors []weights.Tensor
	for _, name := range w.Names() {
		tensors = append(tensors, weights.Tensor{Name: name, Shape: w.Shape(name), Data: w.Get(name)})
	}
	var file bytes.Buffer
	if err := weights.WriteSafetensors(&file, tensors, nil); err != nil {
		t.Fatal(err)
	}
	archive, err := weights.New(g.Name, bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	loaded := train.NewWeights(g, 99)
	network := weights.Network{Names: loaded.Names(), Shape: loaded.Shape}
	if _, err := weights.Load(archive, network, loaded.Set); err != nil {
		t.Fatal(err)
	}
	for i, name := range loaded.Names() {
		if !sameBits(loaded.Get(name), tensors[i].Data) {
			t.Errorf("%s comes back with other bits", name)
		}
	}
}

func sameBits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}
