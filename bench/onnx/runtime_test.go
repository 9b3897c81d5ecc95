package onnx

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/models/graph"
)

const (
	// runtimeVariable names a folder of npm's with ONNX Runtime, onnxruntime-node, in it.
	runtimeVariable = "REIDBENCH_TEST_ONNXRUNTIME"
	// checkerVariable names a program that judges a model, ONNX's own check-model.
	checkerVariable = "REIDBENCH_TEST_ONNX_CHECKER"
	// longVariable has every model computed.
	longVariable = "REIDBENCH_TEST_LONG"
)

// tolerance is how far features may be from ours, by the largest: both round the values of every layer, by 6e-8 of them
// at most, in another order. A hundred layers come to 6e-8·√200 = 8e-7 where errors are independent and passed on as
// they are; networks enlarge some.
const tolerance = 1e-5

// lightModels are quick, and have what others are made of.
var lightModels = []string{"lenet", "alexnet", "osnet_x0_25", "mobilenetv3-small", "deit-t16"}

// runtimeFolder skips the test where there is no ONNX Runtime.
func runtimeFolder(t *testing.T) string {
	t.Helper()
	folder := os.Getenv(runtimeVariable)
	if folder == "" {
		t.Skipf("runs where %s names a folder with ONNX Runtime: docs/onnx.md", runtimeVariable)
	}
	return folder
}

// TestRuntimeNetworks holds what the real ONNX Runtime makes of every operation against ours.
func TestRuntimeNetworks(t *testing.T) {
	runtime := runtimeFolder(t)
	for _, n := range networks {
		for _, keep := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/kept %v", n.name, keep), func(t *testing.T) {
				compareFeatures(t, runtime, n.graph(t), Options{KeepBatchNorm: keep}, largest)
			})
		}
	}
}

// TestRuntimeModels does the same for models, and for what is done to images before.
func TestRuntimeModels(t *testing.T) {
	runtime := runtimeFolder(t)
	for _, m := range models.All() {
		if !slices.Contains(lightModels, m.Name) && os.Getenv(longVariable) == "" {
			continue
		}
		g, err := m.Graph(1)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(m.Name, func(t *testing.T) { compareFeatures(t, runtime, g, Options{}, largest) })
	}
	images := Images{Mean: [3]float32{0.5, 0.4, 0.3}, Std: [3]float32{0.2, 0.3, 0.4}}
	for name, o := range map[string]Options{
		"batch norms kept": {KeepBatchNorm: true},
		"bytes":            {Normalise: true, Images: images},
		"turned":           {Images: Images{Turned: true}},
		"bytes, turned":    {Normalise: true, Images: Images{Std: [3]float32{1, 1, 1}, Turned: true}},
	} {
		t.Run("osnet_x0_25 with "+name, func(t *testing.T) {
			m, err := models.Lookup("osnet_x0_25")
			if err != nil {
				t.Fatal(err)
			}
			g, err := m.Graph(1)
			if err != nil {
				t.Fatal(err)
			}
			compareFeatures(t, runtime, g, o, largest)
		})
	}
}

// TestRuntimeTensorsBeside: the runtime finds tensors in the file beside the model.
func TestRuntimeTensorsBeside(t *testing.T) {
	runtime := runtimeFolder(t)
	m, err := models.Lookup("lenet")
	if err != nil {
		t.Fatal(err)
	}
	g, err := m.Graph(1)
	if err != nil {
		t.Fatal(err)
	}
	compareFeatures(t, runtime, g, Options{}, 1<<14)
}

// runtimeBatches are run one after the other by the same session.
var runtimeBatches = []int{1, 3}

// compareFeatures writes a network to a file of a size up to limit, or to two, has it checked and run, and compares
// features.
func compareFeatures(t *testing.T, runtime string, g *graph.Graph, o Options, limit int) {
	most := runtimeBatches[len(runtimeBatches)-1]
	w, pool := drawWeights(t, g), parallel.NewPool(1)
	t.Cleanup(pool.Close)
	program, err := train.Compile(g, w, pool, train.Options{Batch: most})
	if err != nil {
		t.Fatal(err)
	}
	images := imagesFor(program.Images(), g.Input.Shape, o)
	program.Forward(most)

	model, err := New(g, w, o)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file, input := filepath.Join(dir, "model.onnx"), filepath.Join(dir, "images")
	written, err := model.writeFile(file, limit)
	if err != nil {
		t.Fatal(err)
	}
	if limit != largest && len(written) != 2 {
		t.Fatalf("the model is in %v", written)
	}
	if checker := os.Getenv(checkerVariable); checker != "" {
		if out, err := exec.CommandContext(t.Context(), checker, file).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", checker, err, out)
		}
	}
	if err := os.WriteFile(input, images, 0o666); err != nil {
		t.Fatal(err)
	}
	got := runModel(t, runtime, file, input)
	size := float64(model.encode("").size()) / (1 << 20)
	width, report := g.Features.Shape.C, fmt.Sprintf("| `%s` | %d | %.1f |", g.Name, model.Operations(), size)
	for _, n := range runtimeBatches {
		if len(got) < n*width {
			t.Fatalf("the runtime has made %d numbers, fewer than %d features of %d images", len(got), width, n)
		}
		d := farthest(got[:n*width], program.Features(n))
		got = got[n*width:]
		report += fmt.Sprintf(" %.1e |", d)
		if !(d <= tolerance) {
			t.Errorf("features of %d images differ by %.2g of the largest", n, d)
		}
	}
	t.Log(report)
}

// imagesFor draws images as the program sees them, and returns those for the model.
func imagesFor(seen []float32, s graph.Shape, o Options) []byte {
	r := rand.New(rand.NewPCG(3, 4))
	pixels := make([]byte, len(seen)) // [N, H, W, C]
	for i := range seen {
		pixels[i] = byte(r.IntN(256))
		if o.Normalise {
			seen[i] = (float32(pixels[i])/255 - o.Images.Mean[i%3]) / o.Images.Std[i%3]
		} else {
			seen[i] = float32(r.NormFloat64())
		}
	}
	var planes []float32 // [N, C, H, W]
	for image := range slices.Chunk(seen, s.Size()) {
		for c := range s.C {
			for i := range s.Positions() {
				planes = append(planes, image[i*s.C+c])
			}
		}
	}
	if o.Images.Turned {
		for image := range slices.Chunk(seen, s.Size()) {
			slices.Reverse(image)
			for pixel := range slices.Chunk(image, s.C) {
				slices.Reverse(pixel)
			}
		}
	}
	if o.Normalise {
		return pixels
	}
	return floatBytes(planes)
}

// runModel returns what the runtime makes of runtimeBatches.
func runModel(t *testing.T, runtime, model, images string) []float32 {
	t.Helper()
	args := []string{filepath.Join("testdata", "features.js"), model, images}
	for _, n := range runtimeBatches {
		args = append(args, strconv.Itoa(n))
	}
	command := exec.CommandContext(t.Context(), "node", args...)
	command.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(runtime, "node_modules"))
	out, err := command.Output()
	if err != nil {
		stderr := err.Error()
		if exit, ok := err.(*exec.ExitError); ok {
			stderr += "\n" + string(exit.Stderr)
		}
		t.Fatalf("node: %s", stderr)
	}
	values := make([]float32, len(out)/4)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(out[4*i:]))
	}
	return values
}

// farthest is the largest difference, by the largest value wanted.
func farthest(got, want []float32) float64 {
	difference, largest := 0.0, 0.0
	for i, v := range want {
		d := math.Abs(float64(got[i]) - float64(v))
		if math.IsNaN(d) {
			return d
		}
		difference, largest = max(difference, d), max(largest, math.Abs(float64(v)))
	}
	return difference / largest
}
