package models

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/models/graph"
)

// TestEveryModelWithANeck: every network has its features normalised before a classifier without bias.
func TestEveryModelWithANeck(t *testing.T) {
	for _, m := range All() {
		g, err := m.As(Variant{Neck: true}).Graph(7)
		if err != nil {
			t.Errorf("%s: %v", m.Name, err)
			continue
		}
		plain, err := m.Graph(7)
		if err != nil {
			t.Fatal(err)
		}
		if len(g.Nodes) != len(plain.Nodes)+1 || g.Compared.Name != plain.Features.Name ||
			g.Features.Shape != plain.Features.Shape || len(g.Classifier.Params) != 1 {
			t.Errorf("%s: features %s of %v, compared %s", m.Name, g.Features.Name, g.Features.Shape, g.Compared.Name)
		}
		checkOrder(t, g)
		checkNames(t, g)
	}
}

// TestLastStride says which of the published rows have a last stride, and that nothing but sizes of maps changes.
func TestLastStride(t *testing.T) {
	var with []string
	for _, m := range Rows() {
		plain, err := m.Graph(7)
		if err != nil {
			t.Fatal(err)
		}
		g, err := m.As(Variant{LastStride: 1}).Graph(7)
		if err != nil {
			t.Fatal(err)
		}
		same := func(a, b *graph.Node) bool { return a.Shape == b.Shape && a.Op == b.Op }
		if !slices.EqualFunc(plain.Nodes, g.Nodes, same) {
			with = append(with, m.Name)
		}
		shapes := func(g *graph.Graph) (all [][]int) {
			for _, p := range append(slices.Clone(g.Params), g.Buffers...) {
				all = append(all, p.Shape)
			}
			return all
		}
		if diff := cmp.Diff(shapes(plain), shapes(g)); diff != "" || g.Features.Shape != plain.Features.Shape {
			t.Errorf("%s: features of %v; parameters (-published +changed):\n%s", m.Name, g.Features.Shape, diff)
		}
		checkOrder(t, g)
	}
	want := []string{
		"xception", "resnet50", "resnext50-32x4d", "wide-resnet50", "seresnet50", "senet154", "mobilenetv2-100",
		"mobilenetv3-small", "efficientnet-b4", "efficientnetv2-s", "regnetx-032", "regnety-032",
	}
	if diff := cmp.Diff(want, with); diff != "" {
		t.Errorf("rows with a last stride (-want +got):\n%s", diff)
	}
}
