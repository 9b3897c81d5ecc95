package focus

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/models/graph"
)

// TestEveryModel: there is a way to see where each of them looks, in how many places, and what it needs for that.
func TestEveryModel(t *testing.T) {
	size := map[string][2]int{ // other than those of patches and of a stride of 32
		"alexnet": {7, 3}, "inceptionv3": {6, 2}, "inceptionv4": {6, 2}, "inception-resnetv2": {6, 2},
		"senet154": {3, 2}, "lenet": {5, 5},
	}
	for _, m := range models.All() {
		g, err := m.Graph(2)
		if err != nil {
			t.Fatal(err)
		}
		f, err := New(g)
		if err != nil {
			t.Error(err)
			continue
		}
		method, want := Activation, [2]int{8, 4}
		if m.Family == models.Transformer {
			method = Rollout
		}
		large := m.Family == models.Transformer && !strings.Contains(m.Name, "patch32")
		if large || strings.HasPrefix(m.Name, "osnet") {
			want = [2]int{16, 8}
		}
		if other, ok := size[m.Name]; ok {
			want = other
		}
		if got := [2]int{f.Height, f.Width}; f.Method != method || got != want {
			t.Errorf("%s: %s of %v, want %s of %v", m.Name, f.Method, got, method, want)
		}
	}
}

// TestVariants: maps grow with images, and a neck between features and classifier is no hindrance.
func TestVariants(t *testing.T) {
	variant := models.Variant{Neck: true, LastStride: 1, Input: models.ImageSize{H: 384, W: 128}}
	for name, want := range map[string][2]int{
		"osnet": {24, 8}, "resnet50": {24, 8}, "deit-t16": {24, 8}, "tnt-s": {24, 8}, "vt-resnet50-1f1r": {24, 8},
	} {
		m, err := models.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		g, err := m.As(variant).Graph(2)
		if err != nil {
			t.Fatal(err)
		}
		f, err := New(g)
		if err != nil {
			t.Error(err)
		} else if got := [2]int{f.Height, f.Width}; got != want {
			t.Errorf("%s: a map of %v, want %v", name, got, want)
		}
	}
}

// run compiles a network with random weights, so many times as large as they are drawn for training, runs it on a
// random image, and returns what its nodes made.
func run(
	t *testing.T, g *graph.Graph, outputs []*graph.Node, times float32,
) (*train.Program, *train.Weights, Outputs) {
	t.Helper()
	pool := parallel.NewPool(2)
	t.Cleanup(pool.Close)
	w := train.NewWeights(g, 3)
	for _, name := range w.Names() {
		values := w.Get(name)
		for i := range values {
			values[i] *= times
		}
		if err := w.Set(name, values); err != nil {
			t.Fatal(err)
		}
	}
	p, err := train.Compile(g, w, pool, train.Options{Batch: 1, Outputs: outputs})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range p.Images() {
		p.Images()[i] = float32(r.NormFloat64())
	}
	p.Forward(1)
	return p, w, func(n *graph.Node) []float32 { return p.Output(n, 1) }
}

func build(t *testing.T, input graph.Shape, network func(*graph.Builder) *graph.Node) *graph.Graph {
	t.Helper()
	b := graph.NewBuilder("small", input)
	features := network(b)
	g, err := b.Graph(features, b.Linear("classifier", features, 2))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestActivation holds a map against one that is computed as it is defined, from the image on. float32 sums 27 products
// and 5 squares: an error of some 32·2⁻²⁴, relative to values of about 1.
func TestActivation(t *testing.T) {
	const channels = 5
	g := build(t, graph.Shape{H: 8, W: 6, C: 3}, func(b *graph.Builder) *graph.Node {
		x := b.Conv("conv", b.Input(), graph.Conv{
			Out: channels, Kernel: graph.Square(3), Stride: graph.Square(2), Pad: graph.Square(1),
		})
		x = b.GlobalAvgPool("pool", b.ReLU("relu", x))
		return b.Linear("embed", b.Op("flatten", graph.Flatten{}, x), 4)
	})
	f, err := New(g)
	if err != nil {
		t.Fatal(err)
	}
	p, w, outputs := run(t, g, f.Needs, 1)
	weight, images := w.Get("conv.weight"), p.Images() // [O, I, 3, 3] and [H, W, I]
	var want []float64
	length := 0.0
	for y := range 4 {
		for x := range 3 {
			energy := 0.0
			for o := range channels {
				sum := 0.0
				for i := range 3 {
					for ky := range 3 {
						for kx := range 3 {
							row, column := 2*y+ky-1, 2*x+kx-1
							if row >= 0 && row < 8 && column >= 0 && column < 6 {
								sum += float64(weight[((o*3+i)*3+ky)*3+kx]) * float64(images[(row*6+column)*3+i])
							}
						}
					}
				}
				energy += max(sum, 0) * max(sum, 0)
			}
			want = append(want, energy)
			length += energy * energy
		}
	}
	got := f.Map(outputs)
	if f.Method != Activation || f.Height != 4 || f.Width != 3 || len(got) != len(want) {
		t.Fatalf("%+v with %d values", f, len(got))
	}
	for i, v := range got {
		if w := want[i] / math.Sqrt(length); math.Abs(v-w) > 1e-5 {
			t.Errorf("place %d: %v, want %v", i, v, w)
		}
	}
}

// TestActivationOfNothing: a map of zeros has no length to be divided by.
func TestActivationOfNothing(t *testing.T) {
	g := build(t, graph.Shape{H: 2, W: 2, C: 1}, func(b *graph.Builder) *graph.Node {
		return b.GlobalAvgPool("pool", b.ReLU("relu", b.Input()))
	})
	f, err := New(g)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range f.Map(func(*graph.Node) []float32 { return make([]float32, 4) }) {
		if v != 0 {
			t.Errorf("%v, want 0", v)
		}
	}
}

// TestNoMap: what can't be seen is an error that says why.
func TestNoMap(t *testing.T) {
	for _, test := range []struct {
		name, want string
		network    func(*graph.Builder) *graph.Node
	}{
		{"a vector as image", "made of no map", func(b *graph.Builder) *graph.Node {
			return b.Linear("l", b.Op("flatten", graph.Flatten{}, b.Input()), 2)
		}},
		{"shares that are no attention", `layer "gate": no rule for Mul`, func(b *graph.Builder) *graph.Node {
			return b.Op("gate", graph.Mul{}, b.Input(), b.Op("share", graph.Softmax{}, b.Input()))
		}},
	} {
		g := build(t, graph.Shape{H: 1, W: 1, C: 4}, test.network)
		if _, err := New(g); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want one with %q", test.name, err, test.want)
		}
	}
}
