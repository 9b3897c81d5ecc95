package weights

import (
	"slices"
	"strings"
	"testing"
)

func TestClosest(t *testing.T) {
	network := Network{Names: []string{"conv.weight", "head.weight"}}
	fc := func(name string) string { return strings.Replace(name, "fc", "head", 1) }
	stem := func(name string) string {
		return strings.Replace(strings.Replace(name, "stem", "conv", 1), "fc", "head", 1)
	}
	one := func(string) string { return "conv.weight" }
	for _, c := range []struct{ file, want string }{
		{"conv.weight head.weight", "conv.weight head.weight"},
		{"conv.weight fc.weight", "conv.weight head.weight"},
		{"fc.weight stem.weight", "conv.weight head.weight"},
		{"fc.weight stem.bias", "head.weight stem.bias"},
		{"bias weight", "bias weight"},
	} {
		var tensors []Tensor
		for _, name := range strings.Fields(c.file) {
			tensors = append(tensors, Tensor{Name: name}.scalar())
		}
		a, err := archive(t, tensors...)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, info := range a.Closest(network, fc, one, stem).Tensors() {
			got = append(got, info.Name)
		}
		if want := strings.Fields(c.want); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", c.file, got, want)
		}
	}
}

func TestRenamedRefusesOneNameForTwo(t *testing.T) {
	a, err := archive(t, Tensor{Name: "a"}.scalar(), Tensor{Name: "b"}.scalar())
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.Renamed(func(string) string { return "c" })
	if err == nil || err.Error() != `memory: two tensors stand for "c"` {
		t.Error(err)
	}
}
