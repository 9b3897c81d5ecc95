package bench

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/models/graph"
)

// small is a network of four strided convolutions, enough for images of 64×32.
func small() models.Model {
	return models.Model{
		Name: "small", Family: models.CNN, Input: graph.Shape{H: 64, W: 32, C: 3},
		Build: func(b *graph.Builder, classes int) (features, logits *graph.Node) {
			x := b.Input()
			for i, width := range []int{16, 32, 64, 64} {
				layer := string(rune('a' + i))
				x = b.Conv(layer+".conv", x, graph.Conv{
					Out: width, Kernel: graph.Square(3), Stride: graph.Square(2), Pad: graph.Square(1),
				})
				x = b.BatchNorm(layer+".bn", x)
				x = b.ReLU(layer+".relu", x)
			}
			x = b.Op("stripes", graph.AdaptiveAvgPool{Out: graph.Size2{H: 4, W: 1}}, x)
			x = b.Op("flatten", graph.Flatten{}, x)
			return x, b.Linear("classifier", x, classes)
		},
	}
}

// TestLearns trains from scratch and finds people it has never seen better than the same
// network did before training.
func TestLearns(t *testing.T) {
	if testing.Short() {
		t.Skip("trains three networks")
	}
	recipe := recipe.Recipe{Name: "small", Epochs: 12, Batch: 24, LR: 2e-3, LRStep: 9, LRGamma: 0.1, Decay: 5e-4}
	for seed := range uint64(3) {
		data := filepath.Join(t.TempDir(), "data")
		err := market1501.Synthesize(t.Context(),
			market1501.SynthConfig{Dir: data, IDs: 60, TestIDs: 20, ImagesPerID: 8, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		c := Config{Out: t.TempDir(), Data: data, Models: []models.Model{small()}, Recipe: recipe, Seed: seed}
		untrained := untrainedMAP(t, c)
		trained := mustRun(t, c).Jobs[0].Record.Final.MAP
		t.Logf("seed %d: mAP %.3f untrained, %.3f trained", seed, untrained, trained)
		if trained < untrained+0.2 {
			t.Errorf("seed %d: mAP %.3f after training, %.3f before; want 0.2 more", seed, trained, untrained)
		}
	}
}

// untrainedMAP is the mAP of the weights that training begins with.
func untrainedMAP(t *testing.T, c Config) float64 {
	t.Helper()
	data := openTestData(t, c)
	g, err := c.Models[0].Graph(data.Classes)
	if err != nil {
		t.Fatal(err)
	}
	pool := parallel.NewPool(2)
	defer pool.Close()
	program, err := train.Compile(g, train.NewWeights(g, c.Seed), pool, train.Options{Batch: c.Recipe.Batch})
	if err != nil {
		t.Fatal(err)
	}
	judged, err := (&judge{data: data, graph: g, program: program, threads: 2}).evaluate(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return judged.result.MAP
}
