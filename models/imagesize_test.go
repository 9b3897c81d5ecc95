package models

import (
	"testing"

	"github.com/reidbench/reidbench/models/graph"
)

func TestImageSizeText(t *testing.T) {
	var got ImageSize
	err := got.UnmarshalText([]byte("384x128"))
	if err != nil || got != (ImageSize{384, 128}) || got.String() != "384x128" {
		t.Errorf("read as %v, %v", got, err)
	}
	for _, text := range []string{"", "384", "384x", "x128", "384x128x3", "4x128", "384x9999", "a x b", "-384x128"} {
		var s ImageSize
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is %v", text, s)
		}
	}
}

// TestInputSize: a CNN has the same parameters, a transformer a position for every patch; what cannot be cut into
// windows is an error.
func TestInputSize(t *testing.T) {
	size := Variant{Input: ImageSize{384, 192}}
	for name, positions := range map[string]int{"resnet18": 0, "deit-t16": 1 + 24*12} {
		m, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		g, err := m.As(size).Graph(7)
		if err != nil {
			t.Fatal(err)
		}
		if g.Input.Shape != (graph.Shape{H: 384, W: 192, C: 3}) {
			t.Errorf("%s sees %v", name, g.Input.Shape)
		}
		if p := g.Param("pos_embed"); positions > 0 && p.Shape[1] != positions {
			t.Errorf("%s has positions of %v", name, p.Shape)
		}
	}
	tnt, err := Lookup("tnt-s")
	if err != nil {
		t.Fatal(err)
	}
	if g, err := tnt.As(Variant{Input: ImageSize{250, 120}}).Graph(7); err == nil {
		t.Errorf("tnt-s sees %v", g.Input.Shape)
	}
}
