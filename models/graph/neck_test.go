package graph

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNeck(t *testing.T) {
	b := NewBuilder("net", Shape{1, 1, 4})
	before := b.Linear("embedding", b.Input(), 6)
	g, err := b.Graph(b.Neck(before, b.Linear("head", before, 3)))
	if err != nil {
		t.Fatal(err)
	}
	var nodes, params, buffers, fixed []string
	for i, n := range g.Nodes {
		nodes = append(nodes, n.Name)
		if n.ID != i {
			t.Errorf("node %d has the ID %d", i, n.ID)
		}
	}
	for _, p := range g.Params {
		params = append(params, p.Name)
		if p.Fixed {
			fixed = append(fixed, p.Name)
		}
	}
	for _, p := range g.Buffers {
		buffers = append(buffers, p.Name)
	}
	got := [][]string{nodes, params, buffers, fixed}
	want := [][]string{
		{"input", "embedding", "bottleneck", "head"},
		{"embedding.weight", "embedding.bias", "bottleneck.weight", "bottleneck.bias", "head.weight"},
		{"bottleneck.running_mean", "bottleneck.running_var"}, {"bottleneck.bias"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("nodes, parameters, buffers and fixed parameters (-want +got):\n%s", diff)
	}
	if g.Compared != before || g.Features.Name != "bottleneck" || g.Classifier.Inputs[0] != g.Features {
		t.Errorf("features %s, before the neck %s", g.Features.Name, g.Compared.Name)
	}
	if init := g.Param("head.weight").Init; init != (Init{Normal, 0.001}) {
		t.Errorf("the classifier begins as %+v", init)
	}
}

func TestNeckNeedsAClassifierAtTheEnd(t *testing.T) {
	b := NewBuilder("net", Shape{1, 1, 4})
	features := b.Linear("embedding", b.Input(), 6)
	head := b.Linear("head", features, 3)
	b.ReLU("more", features)
	if _, err := b.Graph(b.Neck(features, head)); err == nil || !strings.Contains(err.Error(), NeckModule) {
		t.Errorf("error %v", err)
	}
}

func TestComparedAreTheFeatures(t *testing.T) {
	b := NewBuilder("net", Shape{1, 1, 4})
	features := b.Linear("embedding", b.Input(), 6)
	g, err := b.Graph(features, b.Linear("head", features, 3))
	if err != nil || g.Compared != features {
		t.Errorf("%v, %v", g, err)
	}
}
