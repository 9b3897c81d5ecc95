package models

import "testing"

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
