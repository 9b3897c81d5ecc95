package weights

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shapes is the fixtures' network, without the counter.
func shapes() map[string][]int {
	all := make(map[string][]int)
	for name, s := range network {
		if s.DType == "F32" {
			all[name] = s.Shape
		}
	}
	return all
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		name       string
		without    []string // of the file
		change     func(map[string][]int)
		classifier []string // fc's without
		loaded     int
		note       string
		mismatch   *MismatchError
	}{
		{name: "same", change: func(map[string][]int) {}, loaded: 7},
		{name: "other classes", loaded: 5, change: func(s map[string][]int) {
			s["fc.weight"], s["fc.bias"] = []int{751, 4}, []int{751}
		}, note: "testdata/state_dict.pth: classifier left out: fc.weight ([5 4] instead of [751 4]), fc.bias ([5] " +
			"instead of [751])"},
		{name: "classifier without bias, of other classes", loaded: 5, change: func(s map[string][]int) {
			s["fc.weight"] = []int{751, 4}
			delete(s, "fc.bias")
		}, note: "testdata/state_dict.pth: classifier left out: fc.weight ([5 4] instead of [751 4])"},
		{name: "classifier without bias", change: func(s map[string][]int) { delete(s, "fc.bias") },
			mismatch: &MismatchError{Surplus: []string{"fc.bias"}}},
		{name: "file without classifier", loaded: 5, change: func(s map[string][]int) {
			s["head.weight"], s["head.bias"] = []int{5, 4}, []int{5}
			delete(s, "fc.weight")
			delete(s, "fc.bias")
		}, without: []string{"fc.weight", "fc.bias"}, classifier: []string{"head.weight", "head.bias"},
			note: "memory: no classifier in the file"},
		{name: "file without the classifier's bias", loaded: 5, change: func(map[string][]int) {},
			without: []string{"fc.bias"},
			note:    "memory: classifier left out: fc.bias (not in the file)"},
		{name: "file of a classifier", change: func(map[string][]int) {},
			without: []string{"conv.weight", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"},
			mismatch: &MismatchError{
				Missing: []string{"bn.bias", "bn.running_mean", "bn.running_var", "bn.weight", "conv.weight"},
			}},
		{name: "everything else", change: func(s map[string][]int) {
			delete(s, "conv.weight")
			delete(s, "bn.bias")
			s["bn.weight"] = []int{5}
			s["bn.running_var"] = []int{1, 4}
			s["bn.num_batches_tracked"] = []int{}
			s["stem.weight"], s["stem.bias"] = []int{1}, []int{1}
		}, mismatch: &MismatchError{
			Missing: []string{"stem.bias", "stem.weight"},
			Surplus: []string{"bn.bias", "conv.weight"},
			Misshapen: []string{
				"bn.num_batches_tracked (I64)", "bn.running_var ([4] instead of [1 4])",
				"bn.weight ([4] instead of [5])",
			},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := shapes()
			c.change(want)
			names := slices.Sorted(maps.Keys(want))
			shape := func(name string) []int { return want[name] }
			classifier := c.classifier
			if classifier == nil {
				classifier = []string{"fc.weight", "fc.bias"}
			}
			file := open(t, "state_dict.pth")
			if c.without != nil {
				file = without(t, file, c.without)
			}
			fit, err := Match(file, Network{Names: names, Shape: shape, Classifier: classifier})
			if c.mismatch != nil {
				c.mismatch.Path = file.Path()
				var got *MismatchError
				if !errors.As(err, &got) {
					t.Fatal(err)
				}
				if diff := cmp.Diff(c.mismatch, got); diff != "" {
					t.Error(diff)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(fit.Names) != c.loaded || fit.Note != c.note {
				t.Errorf("%+v", fit)
			}
		})
	}
}

// without is the archive without some of its tensors, of floating-point numbers alone.
func without(t *testing.T, a *Archive, names []string) *Archive {
	t.Helper()
	var tensors []Tensor
	for _, info := range a.Tensors() {
		if slices.Contains(names, info.Name) || info.DType != "F32" {
			continue
		}
		values, err := a.Float32(info.Name)
		if err != nil {
			t.Fatal(err)
		}
		tensors = append(tensors, Tensor{Name: info.Name, Shape: info.Shape, Data: values})
	}
	fewer, err := archive(t, tensors...)
	if err != nil {
		t.Fatal(err)
	}
	return fewer
}

func TestMatchCosts(t *testing.T) {
	a, err := archive(t, Tensor{Name: "a.weight"}.scalar(), Tensor{Name: "a.total_ops"}.scalar(),
		Tensor{Name: "total_params"}.scalar())
	if err != nil {
		t.Fatal(err)
	}
	fit, err := Match(a, Network{Names: []string{"a.weight"}, Shape: func(string) []int { return nil }})
	want := "memory: thop's counts left out: 2 tensors total_ops and total_params"
	if err != nil || fit.Note != want || len(fit.Names) != 1 {
		t.Errorf("%+v, %v, want %q", fit, err, want)
	}
}

func TestMatchAuxiliary(t *testing.T) {
	a, err := archive(t, Tensor{Name: "a"}.scalar(), Tensor{Name: "AuxLogits.fc.bias"}.scalar())
	if err != nil {
		t.Fatal(err)
	}
	scalar := func(string) []int { return nil }
	fit, err := Match(a, Network{Names: []string{"a"}, Shape: scalar})
	if err != nil || fit.Note != "memory: auxiliary classifier left out: 1 tensors AuxLogits.*" {
		t.Errorf("%+v, %v", fit, err)
	}
	fit, err = Match(a, Network{Names: []string{"a", "AuxLogits.fc.bias"}, Shape: scalar})
	if err != nil || fit.Note != "" || len(fit.Names) != 2 {
		t.Errorf("%+v, %v", fit, err)
	}
}

func TestMismatchErrorListsAll(t *testing.T) {
	err := &MismatchError{Path: "f", Missing: []string{"a", "b"}, Misshapen: []string{"c ([1] instead of [2])"}}
	want := "f: other tensors than the network's\n  missing (2): a, b\n  misshapen (1): c ([1] instead of [2])"
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
}

func TestLoad(t *testing.T) {
	want := shapes()
	names := slices.Sorted(maps.Keys(want))
	shape := func(name string) []int { return want[name] }
	n := Network{Names: names, Shape: shape}
	got := make(map[string]stored)
	set := func(name string, values []float32) error {
		got[name] = stored{"F32", want[name], values}
		return nil
	}
	if note, err := Load(open(t, "checkpoint.pth"), n, set); err != nil || note != "" {
		t.Fatal(note, err)
	}
	all := maps.Clone(network)
	delete(all, "bn.num_batches_tracked")
	if diff := cmp.Diff(all, got); diff != "" {
		t.Error(diff)
	}

	clear(got)
	want["bn.bias"] = []int{9}
	if _, err := Load(open(t, "checkpoint.pth"), n, set); err == nil || len(got) > 0 {
		t.Errorf("%v after %d tensors were set", err, len(got))
	}

	broken := errors.New("broken")
	want["bn.bias"] = []int{4}
	_, err := Load(open(t, "checkpoint.pth"), n, func(string, []float32) error { return broken })
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), `checkpoint.pth: tensor "bn.bias"`) {
		t.Error(err)
	}
}
