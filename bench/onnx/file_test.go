package onnx

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/models/graph"
)

// bigModel has some tensors of a kilobyte and more, and some smaller ones.
func bigModel(t *testing.T) *Model {
	t.Helper()
	b := graph.NewBuilder("big", graph.Shape{H: 4, W: 2, C: 3})
	x := b.Conv("a", b.Input(), graph.Conv{Out: 100, Kernel: graph.Square(1), Bias: true})
	x = b.GlobalAvgPool("pool", b.Linear("b", b.Linear("wide", x, 300), 7))
	g, err := b.Graph(x, b.Linear("head", x, 2))
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(g, drawWeights(t, g), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A model that is too large leaves tensors to a file beside it; what a reader finds is the same.
func TestTensorsBeside(t *testing.T) {
	dir := t.TempDir()
	together, parted := filepath.Join(dir, "together.onnx"), filepath.Join(dir, "parted.onnx")
	m := bigModel(t)
	for _, test := range []struct {
		path  string
		limit int
		want  []string
	}{
		{together, largest, []string{together}},
		{parted, 1 << 13, []string{parted, parted + ".data"}},
	} {
		got, err := m.writeFile(test.path, test.limit)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("files (-want +got):\n%s", diff)
		}
		if info, err := os.Stat(test.path); err != nil || info.Size() > int64(test.limit) {
			t.Errorf("%s: %d bytes, %v", test.path, info.Size(), err)
		}
	}
	diff := cmp.Diff(parseModel(t, together), parseModel(t, parted), cmp.AllowUnexported(readModel{}))
	if diff != "" {
		t.Errorf("models (-together +parted):\n%s", diff)
	}
	beside, err := os.ReadFile(parted + ".data")
	if err != nil {
		t.Fatal(err)
	}
	// wide.weight begins a page after a.weight; b.weight comes after its 120000 bytes, at the next page.
	if want := 4096 + 122880 + 4*300*7; len(beside) != want+4096 {
		t.Errorf("%d bytes beside the model", len(beside))
	}
}

// A model that has no room for its operations is not written, and what was there before stays.
func TestNoRoom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := os.WriteFile(path, []byte("before"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := bigModel(t).writeFile(path, 100); err == nil {
		t.Error("it was written")
	}
	if got, _ := os.ReadFile(path); string(got) != "before" {
		t.Errorf("the file holds %q now", got)
	}
}

// Tensors that cannot be written leave the model that was there; those that can replace it together with its own.
func TestModelsOfOtherTensorsGo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := os.WriteFile(path, []byte("before"), 0o666); err != nil {
		t.Fatal(err)
	}
	m := bigModel(t)
	m.tensors[0].bytes = func() []byte { return make([]byte, 3) }
	if _, err := m.writeFile(path, 1<<13); err == nil {
		t.Error("a tensor of another size was written")
	}
	if got, _ := os.ReadFile(path); string(got) != "before" {
		t.Errorf("the model that was there holds %q now", got)
	}
	if _, err := os.Stat(path + ".data"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("half of the tensors are there: %v", err)
	}
}
