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
	// PyTorch's float32 happens to have every ReLU on the side where float64 has it, and is 4e-6 and 2e-5 away from
	// that in norms and probes of gradients. Who has one on the other side is not: the published rows are 1e-3 to 9e-3
	// and 8e-3 to 4e-2 away in PyTorch itself. A fifth of the least of that, or less, stands for its distance here.
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
