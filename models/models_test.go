package models

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/reidbench/reidbench/models/graph"
)

// identities is the number of training identities of Market-1501.
const identities = 751

// TestEveryModel walks all registered models: each builds, for two sizes of classifier, into a
// graph that is in order, connected, and free of double names.
func TestEveryModel(t *testing.T) {
	for _, m := range All() {
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			small, err := m.Graph(2)
			if err != nil {
				t.Fatal(err)
			}
			g, err := m.Graph(identities)
			if err != nil {
				t.Fatal(err)
			}
			if g.Input.Shape != m.Input {
				t.Errorf("input is %v, not %v", g.Input.Shape, m.Input)
			}
			if g.Logits.Shape != (graph.Shape{H: 1, W: 1, C: identities}) || small.Logits.Shape.C != 2 {
				t.Errorf("logits are %v, and %v for 2 classes", g.Logits.Shape, small.Logits.Shape)
			}
			if g.Classifier.Inputs[0] != g.Features {
				t.Errorf("the classifier's input is %s, the features are %s",
					g.Classifier.Inputs[0].Name, g.Features.Name)
			}
			checkOrder(t, g)
			checkNames(t, g)
		})
	}
}

// checkOrder holds that nodes follow their inputs and that nothing but the logits goes unused.
func checkOrder(t *testing.T, g *graph.Graph) {
	t.Helper()
	for i, n := range g.Nodes {
		if n.ID != i {
			t.Errorf("node %d, %s, has the ID %d", i, n.Name, n.ID)
		}
		if n.Shape.Size() < 1 {
			t.Errorf("%s has the shape %v", n.Name, n.Shape)
		}
		for _, in := range n.Inputs {
			if in.ID >= i || g.Nodes[in.ID] != in {
				t.Errorf("%s comes before its input %s", n.Name, in.Name)
			}
		}
	}
	for i, uses := range g.Uses() {
		if len(uses) == 0 && g.Nodes[i] != g.Logits {
			t.Errorf("nothing uses %s", g.Nodes[i].Name)
		}
	}
}

func checkNames(t *testing.T, g *graph.Graph) {
	t.Helper()
	seen := map[string]bool{}
	once := func(kind, name string) {
		if name == "" || seen[kind+name] {
			t.Errorf("the %s name %q occurs twice or is empty", kind, name)
		}
		seen[kind+name] = true
	}
	for _, n := range g.Nodes {
		once("node", n.Name)
	}
	for _, p := range append(g.Params, g.Buffers...) {
		once("parameter", p.Name)
		if p.Owner == nil || p.Size() < 1 {
			t.Errorf("parameter %s %v has no owner or no elements", p.Name, p.Shape)
		}
	}
}

// TestParameters holds the names and shapes of every row's parameters, the names of its running
// statistics and the settings of its norms against PyTorch's, listed in testdata/parameters.
func TestParameters(t *testing.T) {
	compared := map[string]bool{}
	for _, m := range Rows() {
		path := parametersFile(m)
		want, err := readParameters(path)
		if errors.Is(err, fs.ErrNotExist) && strings.HasPrefix(m.Row, "VT-") {
			continue // no code of the VT rows is public
		}
		if err != nil {
			t.Fatal(err)
		}
		compared[path] = true
		t.Run(m.Name, func(t *testing.T) {
			g, err := m.Graph(identities)
			if err != nil {
				t.Fatal(err)
			}
			sorted := cmpopts.SortSlices(func(a, b string) bool { return a < b })
			if diff := cmp.Diff(want, listParameters(g), sorted); diff != "" {
				t.Errorf("parameters differ (-reference +built):\n%s", diff)
			}
		})
	}
	files, err := filepath.Glob("testdata/parameters/*.txt")
	if err != nil || len(compared) != len(files) {
		t.Errorf("%d of %d files belong to a row (%v)", len(compared), len(files), err)
	}
}

// parametersFile is the reference of a row; rows of the same network share one.
func parametersFile(m Model) string {
	name, _, _ := strings.Cut(strings.TrimSuffix(m.Row, "(256,128)"), "-Distiled")
	if name == "ViT-B16" {
		name = "DeiT-B16"
	}
	return filepath.Join("testdata", "parameters", name+".txt")
}

func readParameters(path string) ([]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return strings.Split(strings.TrimSpace(string(data)), "\n"), nil
}

// listParameters writes a graph's parameters as the files in testdata have them.
func listParameters(g *graph.Graph) []string {
	var lines []string
	norms := map[string]bool{}
	for _, n := range g.Nodes {
		switch op := n.Op.(type) {
		case graph.BatchNorm:
			norms[fmt.Sprintf("norm BatchNorm %g %g", op.Eps, op.Momentum)] = true
		case graph.LayerNorm:
			norms[fmt.Sprintf("norm LayerNorm %g", op.Eps)] = true
		}
	}
	for norm := range norms {
		lines = append(lines, norm)
	}
	for _, p := range g.Params {
		var shape []string
		for _, d := range p.Shape {
			shape = append(shape, strconv.Itoa(d))
		}
		lines = append(lines, "param "+p.Name+" "+strings.Join(shape, "x"))
	}
	for _, p := range g.Buffers {
		lines = append(lines, "buffer "+p.Name)
	}
	return lines
}

func TestGraphRefusesNoClasses(t *testing.T) {
	m, err := Lookup("alexnet")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Graph(0); err == nil {
		t.Error("a classifier without classes was built")
	}
}
