package bench

import (
	"encoding/json"
	"hash/fnv"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/bench/weights"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/models"
)

// fromLibrary is what PyTorch computes of publishedImage by a network of a library.
type fromLibrary struct {
	Model    string           `json:"model"`
	Library  string           `json:"library"`
	Gain     float64          `json:"gain"`     // thrice the variance of weights times their fan-in
	Features []float64        `json:"features"` // the first of them
	Norm     float64          `json:"norm"`     // of all
	Tensors  map[string][]int `json:"tensors"`  // the shapes of those in its files
}

// published is a value of a tensor in [-1, 1), by testdata/conventions.py.
func published(name string, count int) []float64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	values := make([]float64, count)
	for i := range values {
		z := h.Sum64() + uint64(i+1)*0x9e3779b97f4a7c15
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		values[i] = float64((z^z>>31)>>40)/(1<<23) - 1
	}
	return values
}

// publishedTensor is a tensor of the library's file.
func publishedTensor(name string, shape []int, gain float64) weights.Tensor {
	size := 1
	for _, d := range shape {
		size *= d
	}
	return weights.Tensor{Name: name, Shape: shape, Fetch: func() []float32 {
		values := make([]float32, size)
		scale, offset := 0.1, 0.0
		switch weight := strings.HasSuffix(name, "weight"); {
		case strings.HasSuffix(name, "running_var"):
			scale, offset = 0.25, 0.5
		case weight && len(shape) == 1:
			offset = 1
		case weight:
			scale = math.Sqrt(gain / float64(size/shape[0]))
		}
		for i, v := range published(name, size) {
			values[i] = float32(offset + scale*v)
		}
		return values
	}}
}

// publishedImage is an image as the view has it.
func publishedImage(dst []float32, view market1501.View) {
	const height, width = 256, 128
	for y := range height {
		for x := range width {
			at := y*width + x
			if view.Turned {
				at = height*width - 1 - at
			}
			for c := range 3 {
				value := float32((7*y + 13*x + 50*c + 3*(y*x%31)) % 256)
				dst[3*at+c] = (value/255 - view.Mean[c]) / view.Std[c]
			}
		}
	}
}

// TestConventions holds features against PyTorch's, by files as timm and torchvision write them: other epsilons of
// batch norms, TensorFlow's padding, other normalisations of images, a distillation token.
func TestConventions(t *testing.T) {
	cases, err := filepath.Glob("testdata/conventions/*.json")
	if err != nil || len(cases) < 8 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, file := range cases {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var want fromLibrary
			if err := json.Unmarshal(data, &want); err != nil {
				t.Fatal(err)
			}
			if len(want.Tensors) > 500 && testing.Short() {
				t.Skip("a large network")
			}
			path := filepath.Join(t.TempDir(), name+"-01234567.safetensors")
			writePublished(t, path, want)
			got := featuresOf(t, want.Model, path)
			norm := 0.0
			for _, v := range got {
				norm += float64(v) * float64(v)
			}
			// Both sum in float32 through up to 150 layers; a convention that is left out is off by 1e-3 and more.
			tolerance := 1e-5 * want.Norm / math.Sqrt(float64(len(got)))
			first := make([]float64, len(want.Features))
			for i := range first {
				first[i] = float64(got[i])
			}
			if diff := cmp.Diff(want.Features, first, cmpopts.EquateApprox(1e-5, 4*tolerance)); diff != "" {
				t.Errorf("features (-%s +ours):\n%s", want.Library, diff)
			}
			if relative := math.Abs(math.Sqrt(norm)/want.Norm - 1); relative > 1e-5 {
				t.Errorf("norm is off by %.2g", relative)
			}
		})
	}
}

func writePublished(t *testing.T, path string, from fromLibrary) {
	t.Helper()
	var tensors []weights.Tensor
	for _, name := range slices.Sorted(maps.Keys(from.Tensors)) {
		tensors = append(tensors, publishedTensor(name, from.Tensors[name], from.Gain))
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := weights.WriteSafetensors(f, tensors, nil); err != nil {
		t.Fatal(err)
	}
}

// featuresOf loads a file for evaluation and embeds publishedImage.
func featuresOf(t *testing.T, model, path string) []float32 {
	t.Helper()
	m, err := models.Lookup(model)
	if err != nil {
		t.Fatal(err)
	}
	g, err := m.Graph(2)
	if err != nil {
		t.Fatal(err)
	}
	a := &adoption{weights: train.NewWeights(g, 0), graph: g}
	note, err := WeightsSource{}.load(a, m, path)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(note)
	pool := parallel.NewPool(2)
	defer pool.Close()
	program, err := train.Compile(g, a.weights, pool, train.Options{Batch: 1, Stage: train.Inference})
	if err != nil {
		t.Fatal(err)
	}
	publishedImage(program.Images(), a.view)
	program.Forward(1)
	return program.Features(1)
}
