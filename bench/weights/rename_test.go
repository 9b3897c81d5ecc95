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
		{"backbone.conv.weight backbone.head.weight", "conv.weight head.weight"},
		{"a.b.conv.weight a.b.fc.weight", "conv.weight head.weight"},
		{"base.stem.weight base.num_batches_tracked fc.weight", "conv.weight head.weight num_batches_tracked"},
		{"base.conv.weight conv.weight", "base.conv.weight conv.weight"},
		{"q.conv.weight q.fc.weight k.conv.weight k.fc.weight", "k.conv.weight k.fc.weight q.conv.weight q.fc.weight"},
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

// TestMatchWithinAnother: the path before the names is named, whether the rest fits or not.
func TestMatchWithinAnother(t *testing.T) {
	a, err := archive(t, Tensor{Name: "model.a"}.scalar(), Tensor{Name: "model.b"}.scalar())
	if err != nil {
		t.Fatal(err)
	}
	n := Network{Names: []string{"a", "b"}, Shape: func(string) []int { return nil }}
	fit, err := Match(a.Closest(n), n)
	if want := `memory: read without the "model." before its names`; err != nil || fit.Note != want {
		t.Errorf("%+v, %v, want %q", fit, err, want)
	}
	n.Names = append(n.Names, "c")
	want := "memory: other tensors than the network's, read without the \"model.\" before its names\n  missing (1): c"
	if _, err := Match(a.Closest(n), n); err == nil || err.Error() != want {
		t.Errorf("%v, want %q", err, want)
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
