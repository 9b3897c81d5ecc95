package train

import (
	"encoding/json"
	"hash/fnv"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/models/graph"
)

// reference is testdata/parity/ROW.json; testdata/README.md explains it.
type reference struct {
	Features0 [][]float64
	Loss      []float64
	Logits    [][]float64
	Grads     []tensorTrace
	Running   []tensorTrace
	Float32   struct {
		Loss            []float64
		LossSpread      []float64 `json:"loss_spread"` // where one float32 trajectory isn't representative
		Features0       [][]float64
		Logits          [][]float64
		GradNormMaxRel  float64 `json:"grad_norm_max_rel"`
		GradProbeMaxRel float64 `json:"grad_probe_max_rel"`
		RunningMaxRel   float64 `json:"running_max_rel"`
	}
}

// tensorTrace is [name, shape, norm, probe] of a gradient or [name, norm] of a running statistic.
type tensorTrace struct {
	name        string
	norm, probe float64
}

func (t *tensorTrace) UnmarshalJSON(data []byte) error {
	var fields []json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return err
	}
	if len(fields) == 2 {
		return unmarshalAll(fields, &t.name, &t.norm)
	}
	var shape []int
	return unmarshalAll(fields, &t.name, &shape, &t.norm, &t.probe)
}

func unmarshalAll(fields []json.RawMessage, into ...any) error {
	for i, target := range into {
		if err := json.Unmarshal(fields[i], target); err != nil {
			return err
		}
	}
	return nil
}

const (
	parityBatch   = 4
	parityClasses = 751

	// slack is how much farther than PyTorch's own float32 we may be from its float64,
	// and floor the relative distance that is always allowed: rounding differs from one
	// order of summation to the next, by factors of a few.
	slack = 8
	floor = 1e-4
)

// lightParity are the rows that run where longVariable isn't set: they take a few seconds each, and use most kernels.
var lightParity = []string{
	"ConvNeXt-Tiny", "DeiT-T16", "DenseNet169", "Efficientnet-B4", "Inceptionv3",
	"Mobilenetv2-100", "Mobilenetv3-small", "OSNet", "Regnety-032", "ResNet50",
}

// keptParity are the rows that also run with all activations kept, as trainings do while memory suffices: light ones
// that have batch norms, gates, and depthwise convolutions.
var keptParity = []string{"Mobilenetv2-100", "Mobilenetv3-small", "OSNet"}

func TestParityWithPyTorch(t *testing.T) {
	files, err := filepath.Glob("testdata/parity/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no reference files: %v", err)
	}
	pool := parallel.NewPool(2)
	defer pool.Close()
	for _, file := range files {
		row := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(row, func(t *testing.T) {
			model, err := models.Lookup(row)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(lightParity, row) && os.Getenv(longVariable) == "" {
				t.Skipf("runs with %s", longVariable)
			}
			var want reference
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(data, &want); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			g, err := model.Graph(parityClasses)
			if err != nil {
				t.Fatal(err)
			}
			labels := make([]int32, parityBatch)
			for i := range labels {
				labels[i] = int32((97*i + 13) % parityClasses)
			}
			checkParity(t, g, pool, want, labels, Options{Activations: Recomputed})
			if slices.Contains(keptParity, row) {
				t.Run("kept", func(t *testing.T) { checkParity(t, g, pool, want, labels, Options{Activations: Kept}) })
			}
		})
	}
}

func checkParity(
	t *testing.T, g *graph.Graph, pool *parallel.Pool, want reference, labels []int32, opt Options,
) {
	w := NewWeights(g, 1)
	for _, p := range g.Params {
		if err := w.Set(p.Name, formulaWeights(p)); err != nil {
			t.Fatal(err)
		}
	}

	evaluation := compileFor(t, g, w, pool, Options{Batch: parityBatch, Stage: Inference})
	formulaImages(evaluation.Images(), g.Input.Shape)
	evaluation.Forward(parityBatch)
	checkTraces(t, "features", evaluation.Features(parityBatch), want.Features0, want.Float32.Features0)

	opt.Batch, opt.Stage, opt.NoDropout = parityBatch, Everything, true
	program := compileFor(t, g, w, pool, opt)
	formulaImages(program.Images(), g.Input.Shape)
	copy(program.Labels(), labels)
	adam := NewAdam(w, Everything, 5e-4)
	parted := 0.0
	for i := range want.Loss {
		loss := program.Train(parityBatch, uint64(i))
		// Adam's first steps move every weight by lr times the sign of its gradient, so rounding
		// decides where the gradient is nearly zero. Trajectories that have parted meet again
		// by chance only: that PyTorch's crosses the float64 one does not make it exact there.
		parted = max(parted, math.Abs(want.Float32.Loss[i]-want.Loss[i]))
		if len(want.Float32.LossSpread) > i {
			parted = max(parted, want.Float32.LossSpread[i])
		}
		tolerance := max(slack*parted, floor*math.Abs(want.Loss[i]))
		if d := math.Abs(loss - want.Loss[i]); !(d <= tolerance) {
			t.Errorf("loss before step %d: %v, want %v ± %.2g", i+1, loss, want.Loss[i], tolerance)
		}
		if i == 0 {
			checkTraces(t, "logits", program.Logits(parityBatch), want.Logits, want.Float32.Logits)
			checkGradients(t, program, want)
		}
		if i < len(want.Loss)-1 {
			adam.Step(program, 5e-4)
		}
	}
	for _, r := range want.Running {
		got := euclidean(w.Get(r.name))
		if d := math.Abs(got-r.norm) / r.norm; !(d <= max(slack*want.Float32.RunningMaxRel, floor)) {
			t.Errorf("%s: norm %v, want %v", r.name, got, r.norm)
		}
	}
}

func compileFor(t *testing.T, g *graph.Graph, w *Weights, pool *parallel.Pool, opt Options) *Program {
	t.Helper()
	p, err := Compile(g, w, pool, opt)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func checkGradients(t *testing.T, p *Program, want reference) {
	t.Helper()
	all := 0.0
	for _, g := range want.Grads {
		all += g.norm * g.norm
	}
	all = math.Sqrt(all)
	if got := len(p.graph.Params); got != len(want.Grads) {
		t.Errorf("%d parameters, want %d", got, len(want.Grads))
	}
	for _, g := range want.Grads {
		gradient := p.Gradient(g.name)
		probe := 0.0
		for i, v := range gradient {
			probe += float64(v) * formula(g.name+".probe", i)
		}
		scale := g.norm + 1e-3*all
		if d := math.Abs(euclidean(gradient)-g.norm) / scale; !(d <= max(slack*want.Float32.GradNormMaxRel, floor)) {
			t.Errorf("gradient of %s: norm %v, want %v", g.name, euclidean(gradient), g.norm)
		}
		if d := math.Abs(probe-g.probe) / scale; !(d <= max(slack*want.Float32.GradProbeMaxRel, floor)) {
			t.Errorf("gradient of %s: probe %v, want %v", g.name, probe, g.probe)
		}
	}
}

// checkTraces compares the first four values and the norm of every sample. One float32
// value may be right by chance, so PyTorch's distance is the largest over the samples.
func checkTraces(t *testing.T, what string, got []float32, want, float32s [][]float64) {
	t.Helper()
	width := len(got) / len(want)
	traces := make([][]float64, len(want))
	for i := range want {
		sample := got[i*width:][:width]
		for _, v := range sample[:4] {
			traces[i] = append(traces[i], float64(v))
		}
		traces[i] = append(traces[i], euclidean(sample))
	}
	for _, columns := range [][]int{{0, 1, 2, 3}, {4}} {
		distance, size := 0.0, 0.0
		for i := range want {
			for _, c := range columns {
				distance = max(distance, math.Abs(float32s[i][c]-want[i][c]))
				size = max(size, math.Abs(want[i][c]))
			}
		}
		for i := range want {
			for _, c := range columns {
				if d := math.Abs(traces[i][c] - want[i][c]); !(d <= max(slack*distance, floor*size)) {
					t.Errorf("%s of sample %d, value %d: %v, want %v", what, i, c, traces[i][c], want[i][c])
				}
			}
		}
	}
}

func euclidean(values []float32) float64 {
	sum := 0.0
	for _, v := range values {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum)
}

// formula is v(name, i) of testdata/README.md.
func formula(name string, i int) float64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	return unit(h.Sum64() + uint64(i))
}

func unit(x uint64) float64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	x ^= x >> 31
	return float64(x>>40)/(1<<24)*2 - 1
}

func formulaWeights(p *graph.Param) []float32 {
	h := fnv.New64a()
	h.Write([]byte(p.Name))
	base := h.Sum64()
	offset, scale := 0.0, 0.1
	switch {
	case len(p.Shape) >= 2 && strings.HasSuffix(p.Name, "weight"):
		scale = math.Sqrt(6 / float64(p.FanIn()))
	case p.Role == graph.NormWeight:
		offset = 1
	}
	values := make([]float32, p.Size())
	for i := range values {
		values[i] = float32(offset + scale*unit(base+uint64(i)))
	}
	return values
}

func formulaImages(images []float32, s graph.Shape) {
	for n := range len(images) / s.Size() {
		for h := range s.H {
			for w := range s.W {
				for c := range s.C {
					flat := ((n*s.C+c)*s.H+h)*s.W + w
					wave := math.Sin(2 * math.Pi * (float64((n+1)*h)/64 + float64((c+1)*w)/48 + float64(3*n+c)/7))
					images[((n*s.H+h)*s.W+w)*s.C+c] = float32(wave + 0.25*formula("input", flat))
				}
			}
		}
	}
}

func TestFormula(t *testing.T) {
	for i, want := range []float64{-0.8043633699417114, -0.705042839050293, 0.14816880226135254, 0.7054555416107178} {
		if got := formula("input", i); got != want {
			t.Errorf("v(input, %d) = %v, want %v", i, got, want)
		}
	}
}
