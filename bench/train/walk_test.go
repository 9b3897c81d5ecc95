package train

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/reidbench/reidbench/bench/weights"
	"github.com/reidbench/reidbench/flops"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/models/graph"
)

// longVariable, if set, asks for all of the tests that take minutes.
const longVariable = "REIDBENCH_TEST_LONG"

// lightMACs is what an image costs at most in the models that TestEveryModel trains where longVariable isn't set.
const lightMACs = 4e8

// TestEveryModel trains a step of every registered model on two images and saves and loads it. Where longVariable isn't
// set, only light models are: all of them take minutes.
func TestEveryModel(t *testing.T) {
	pool := parallel.NewPool(2)
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
			checkNames(t, g)
			cost, err := flops.Count(g)
			if err != nil {
				t.Fatal(err)
			}
			if cost.Total.MACs() > lightMACs && os.Getenv(longVariable) == "" {
				t.Skipf("is trained where %s is set", longVariable)
			}
			w := NewWeights(g, 1)
			wake(g, w)
			checkSaving(t, g, w)
			checkStep(t, g, w, pool)
		})
	}
}

func checkNames(t *testing.T, g *graph.Graph) {
	t.Helper()
	nodes, tensors := map[string]bool{}, map[string]bool{}
	for _, n := range g.Nodes {
		if nodes[n.Name] {
			t.Errorf("two nodes are called %s", n.Name)
		}
		nodes[n.Name] = true
	}
	for _, p := range slices.Concat(g.Params, g.Buffers) {
		if tensors[p.Name] {
			t.Errorf("two tensors are called %s", p.Name)
		}
		tensors[p.Name] = true
	}
}

// wake adds to the biases of what is computed once for an image, so that no ReLU of a gate, which may have a single
// unit, is zero for all images.
func wake(g *graph.Graph, w *Weights) {
	for _, n := range g.Nodes {
		for _, p := range n.Params {
			if p.Role != graph.Bias || !n.Shape.IsVector() {
				continue
			}
			for i, at := 0, w.of(p); i < len(at); i++ {
				at[i] += 4
			}
		}
	}
}

func checkStep(t *testing.T, g *graph.Graph, w *Weights, pool *parallel.Pool) {
	t.Helper()
	const batch = 2
	p, err := Compile(g, w, pool, Options{Batch: batch, Stage: Everything, NoDropout: true})
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
		sum := 0.0 // of absolute values: finite exactly if all are
		for _, v := range p.Gradient(param.Name) {
			sum += math.Abs(float64(v))
		}
		if !finite(sum) || sum == 0 {
			t.Errorf("gradient of %s: %v", param.Name, sum)
		}
	}
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func checkSaving(t *testing.T, g *graph.Graph, w *Weights) {
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
	loaded := NewWeights(g, 99)
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
