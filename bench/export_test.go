package bench

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/models"
)

// exportConfig is for the weights of a tiny model that was trained.
func exportConfig(t *testing.T) ExportConfig {
	t.Helper()
	c := testConfig(t, tinymodel.New("one"))
	mustRun(t, c)
	weights := filepath.Join(c.Out, "one", store.WeightsFile)
	return ExportConfig{Model: tinymodel.New("one"), Weights: weights, Version: "v1"}
}

func TestExport(t *testing.T) {
	c := exportConfig(t)
	path := filepath.Join(t.TempDir(), "one.onnx")
	for _, test := range []struct {
		normalise bool
		source    WeightsSource
		input     ExportedTensor
		holds     []string // what the file says
	}{
		{
			false, WeightsSource{}, ExportedTensor{"images", "float32", []any{"batch", 3, 32, 16}},
			[]string{"reidbench_version", "v1", "a.conv.weight", "0.485,0.456,0.406"},
		},
		{
			true, WeightsSource{Input: models.Centred}, ExportedTensor{"images", "uint8", []any{"batch", 32, 16, 3}},
			[]string{"0.5,0.5,0.5", "bytes, channels last"},
		},
	} {
		c.Normalise, c.Source = test.normalise, test.source
		got, err := Export(c, path)
		if err != nil {
			t.Fatal(err)
		}
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range test.holds {
			if !bytes.Contains(file, []byte(text)) {
				t.Errorf("the model lacks %q", text)
			}
		}
		if got.Preprocessing == "" || got.Operations < 6 {
			t.Errorf("%d operations; images are %q", got.Operations, got.Preprocessing)
		}
		got.Preprocessing, got.Operations = "", 0
		want := Exported{
			Model: "one", Weights: store.WeightsFile, Files: []string{path}, Bytes: int64(len(file)), Opset: 17,
			Input: test.input, Output: ExportedTensor{"embeddings", "float32", []any{"batch", 16}},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("exported (-want +got):\n%s", diff)
		}
	}
}

// The file of weights is not replaced by what is made of it, whichever path leads to it.
func TestExportOntoItself(t *testing.T) {
	c := exportConfig(t)
	before, err := os.ReadFile(c.Weights)
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(c.Weights, link); err != nil {
		t.Skip(err)
	}
	for _, path := range []string{c.Weights, link} {
		if _, err := Export(c, path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("error %v, want one that names %s", err, path)
		}
	}
	if after, err := os.ReadFile(c.Weights); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the weights have changed: %v", err)
	}
}
