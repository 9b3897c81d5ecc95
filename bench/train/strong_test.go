package train

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/models"
)

// TestStrongParityWithPyTorch holds a whole network with the strong recipe's losses, a neck and no last stride against
// PyTorch, as TestParityWithPyTorch does the published ones.
func TestStrongParityWithPyTorch(t *testing.T) {
	data, err := os.ReadFile("testdata/strong/resnet18.json")
	if err != nil {
		t.Fatal(err)
	}
	var want reference
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	// What parts us from float64 is which ReLUs are open. Of 6.8 million, four are on the other side with AVX2 and two
	// with the portable loops, at values of 4e-7 to 6e-6 where their layers' are about 1. Norms of gradients are
	// then 5.0e-4 and 7.3e-4 away, and gradients as vectors 2.9e-3 and 5.1e-3. PyTorch's float64 with the same ReLUs
	// open as here is as far from its own (5.0e-4 and 7.3e-4), and from ours 1.4e-5 and 5.9e-6, vectors 3.7e-5 and
	// 2.1e-5. The float32 of the file is PyTorch 1.13's on a machine where none was on the other side: 4e-6 and, in
	// probes, 2e-5. That of PyTorch 2.6 with AVX2 has three there, and is 4.8e-4 away, 2.6e-3 as vectors. Published
	// rows are 1e-3 to 9e-3 in norms and 8e-3 to 4e-2 in probes away in PyTorch itself. A fifth of the least of that,
	// or less, stands for its distance here.
	want.Float32.GradNormMaxRel, want.Float32.GradProbeMaxRel = 2e-4, 1e-3
	want.Float32.LossSpread = []float64{0, 1e-4, 1e-3, 1e-3}
	model, err := models.Lookup("resnet18")
	if err != nil {
		t.Fatal(err)
	}
	g, err := model.As(models.Variant{Neck: true, LastStride: 1}).Graph(parityClasses)
	if err != nil {
		t.Fatal(err)
	}
	pool := parallel.NewPool(2)
	defer pool.Close()
	checkParity(t, g, pool, want, []int32{5, 5, 9, 9}, Options{
		Loss: CrossEntropy{Smoothing: 0.1}, Triplet: Triplet{Margin: 0.3}, Activations: Kept,
	})
}
