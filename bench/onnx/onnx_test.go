package onnx

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/internal/golden"
	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/models/graph"
)

// writeModel translates a graph, writes it to a file and returns that.
func writeModel(t *testing.T, g *graph.Graph, w Weights, o Options) string {
	t.Helper()
	m, err := New(g, w, o)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "model.onnx")
	if _, err := m.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestOperations holds what becomes of every operation, and the constants that it takes, against a file.
func TestOperations(t *testing.T) {
	var text strings.Builder
	for _, n := range networks {
		g := n.graph(t)
		for _, keep := range []bool{false, true} {
			if keep && len(g.Folds()) == 0 {
				continue // it makes no difference
			}
			m := parseModel(t, writeModel(t, g, drawWeights(t, g), Options{KeepBatchNorm: keep}))
			fmt.Fprintf(&text, "== %s", n.name)
			if keep {
				text.WriteString(", batch norms kept")
			}
			fmt.Fprintf(&text, "\n%s\n\n%s\n\n", strings.Join(m.nodes, "\n"), strings.Join(m.tensors, "\n"))
		}
	}
	golden.Compare(t, "operations.txt", text.String())
}

// TestOperationsAreComplete: the networks above have every operation that a model has.
func TestOperationsAreComplete(t *testing.T) {
	tested := map[string]bool{}
	note := func(g *graph.Graph, in map[string]bool) {
		for _, n := range g.Nodes {
			name := reflect.TypeOf(n.Op).Name()
			if a, ok := n.Op.(graph.Act); ok {
				name += " " + string(a.Func)
			}
			in[name] = true
		}
	}
	for _, n := range networks {
		note(n.graph(t), tested)
	}
	used := map[string]bool{}
	for _, m := range models.All() {
		g, err := m.Graph(1)
		if err != nil {
			t.Fatal(err)
		}
		note(g, used)
		if _, err := New(g, nil, Options{}); err != nil {
			t.Error(err)
		}
	}
	for name := range used {
		if !tested[name] && name != "DropPath" { // which does nothing, as a Dropout
			t.Errorf("no network has %s", name)
		}
	}
}

// A node that this package does not know, or an activation, is named.
func TestUnknownOperation(t *testing.T) {
	b := graph.NewBuilder("net", graph.Shape{H: 2, W: 2, C: 3})
	x := b.GlobalAvgPool("pool", b.Act("strange", b.Input(), "Mish"))
	g, err := b.Graph(x, b.Linear("head", x, 2))
	if err != nil {
		t.Fatal(err)
	}
	_, err = New(g, nil, Options{})
	if want := `net as ONNX: layer "strange": unknown activation "Mish"`; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	g.Nodes[1].Op = struct{ graph.Op }{graph.Add{}}
	if _, err = New(g, nil, Options{}); err == nil || !strings.Contains(err.Error(), `layer "strange": unknown op`) {
		t.Errorf("error %v", err)
	}
}

// TestDescription holds all that a model says of itself against a file, for each of the inputs.
func TestDescription(t *testing.T) {
	g, err := tinymodel.New("tiny").Graph(3)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{
		Images:   Images{Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225}},
		Producer: Producer{"reidbench", "v1.2.3"}, Metadata: []Entry{{"model", "tiny"}},
	}
	var text strings.Builder
	for _, of := range []struct{ normalise, turned bool }{{false, false}, {true, false}, {false, true}, {true, true}} {
		o.Normalise, o.Images.Turned = of.normalise, of.turned
		m := parseModel(t, writeModel(t, g, drawWeights(t, g), o))
		fmt.Fprintf(&text, "== bytes %v, turned %v\n%s\n\n", of.normalise, of.turned, strings.Join(m.head, "\n"))
		fmt.Fprintf(&text, "%s\n\n%s\n\n", strings.Join(m.nodes, "\n"), strings.Join(m.tensors, "\n"))
	}
	golden.Compare(t, "description.txt", text.String())
}

// TestBytes: the same network and weights give the same bytes, today's.
func TestBytes(t *testing.T) {
	g, err := tinymodel.New("tiny").Graph(3)
	if err != nil {
		t.Fatal(err)
	}
	w := train.NewWeights(g, 1)
	for i, name := range w.Names() {
		values := w.Get(name)
		for j := range values {
			values[j] = float32((7*i+3*j)%16+1) / 16
		}
		if err := w.Set(name, values); err != nil {
			t.Fatal(err)
		}
	}
	var text strings.Builder
	for _, keep := range []bool{false, true} {
		bytes, err := os.ReadFile(writeModel(t, g, w, Options{KeepBatchNorm: keep}))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&text, "batch norms kept %v: %d bytes, SHA-256 %x\n", keep, len(bytes), sha256.Sum256(bytes))
	}
	golden.Compare(t, "bytes.txt", text.String())
}

// TestTensors: parameters have the published names and values, folded and transposed ones those that they should.
func TestTensors(t *testing.T) {
	b := graph.NewBuilder("net", graph.Shape{H: 4, W: 2, C: 3})
	conv := b.Conv("conv", b.Input(), graph.Conv{Out: 4, Kernel: graph.Square(1)})
	norm := b.BatchNorm("norm", conv)
	linear := b.Linear("linear", norm, 5)
	x := b.GlobalAvgPool("pool", linear)
	g, err := b.Graph(x, b.Linear("head", x, 2))
	if err != nil {
		t.Fatal(err)
	}
	w := drawWeights(t, g)
	weight, bias := w.Folded(conv, []*graph.Node{norm})
	transposed := make([]float32, 20)
	for i := range transposed {
		transposed[i] = w.Get("linear.weight")[i%5*4+i/5]
	}
	for _, test := range []struct {
		keep bool
		want map[string][]float32
	}{
		{false, map[string][]float32{"conv.weight": weight, "conv.bias": bias}},
		{true, map[string][]float32{
			"conv.weight": w.Get("conv.weight"), "norm.weight": w.Get("norm.weight"), "norm.bias": w.Get("norm.bias"),
			"norm.running_mean": w.Get("norm.running_mean"), "norm.running_var": w.Get("norm.running_var"),
		}},
	} {
		test.want["linear.weight.transposed"], test.want["linear.bias"] = transposed, w.Get("linear.bias")
		got := map[string][]float32{}
		for name, bytes := range parseModel(t, writeModel(t, g, w, Options{KeepBatchNorm: test.keep})).values {
			if strings.HasPrefix(name, "constant/") {
				continue
			}
			for at := 0; at < len(bytes); at += 4 {
				got[name] = append(got[name], math.Float32frombits(binary.LittleEndian.Uint32(bytes[at:])))
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("batch norms kept %v (-want +got):\n%s", test.keep, diff)
		}
	}
}

// TestNames: no value of any model has two makers, none is read that has no maker, and none is made in vain.
func TestNames(t *testing.T) {
	for _, m := range models.All() {
		g, err := m.Graph(1)
		if err != nil {
			t.Fatal(err)
		}
		model, err := New(g, nil, Options{Normalise: true})
		if err != nil {
			t.Fatal(err)
		}
		made, read := []string{model.Input.Name, ""}, []string{model.Output.Name, ""}
		for _, tensor := range model.tensors {
			made = append(made, tensor.name)
		}
		for _, n := range model.nodes {
			for _, in := range n.inputs {
				if !slices.Contains(made, in) {
					t.Errorf("%s: %s reads %s, which nothing before it makes", m.Name, n.name, in)
				}
			}
			made, read = append(made, n.outputs...), append(read, n.inputs...)
		}
		slices.Sort(made)
		slices.Sort(read)
		if diff := cmp.Diff(made, slices.Compact(read)); diff != "" {
			t.Errorf("%s: names (-made +read):\n%s", m.Name, diff)
		}
	}
}
