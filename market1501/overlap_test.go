package market1501

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOverlap(t *testing.T) {
	const trained, broken = "bounding_box_train/0002_c1s1_000451_03.jpg", "bounding_box_train/0003_c1s1_000451_03.jpg"
	for _, test := range []struct {
		name   string
		of     string   // the training image
		copies []string // of it
		want   Overlap
	}{
		{"none", trained, nil, Overlap{}},
		{"a broken file", broken, []string{"query/0003_c1s1_000451_03.jpg"}, Overlap{}},
		{"same name", trained, []string{"query/0002_c1s1_000451_03.jpg"},
			Overlap{Query: []string{"query/0002_c1s1_000451_03.jpg"}}},
		{"other names", trained, []string{"query/0099_c1s1_000001_01.jpg", "bounding_box_test/0098_c2s1_000001_01.jpg"},
			Overlap{
				Query:   []string{"query/0099_c1s1_000001_01.jpg"},
				Gallery: []string{"bounding_box_test/0098_c2s1_000001_01.jpg"},
			}},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := writeDataset(t, tinyDataset...)
			writeFile(t, filepath.Join(root, broken), []byte("no image"))
			content, err := os.ReadFile(filepath.Join(root, test.of))
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range test.copies {
				writeFile(t, filepath.Join(root, path), content)
			}
			d, err := Open(t.Context(), root)
			if err != nil {
				t.Fatal(err)
			}
			got, err := d.Overlap(t.Context(), 2)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			info, err := d.Info(t.Context(), 2, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, info.Overlap); diff != "" {
				t.Errorf("info: %s", diff)
			}
			warning := strings.Join(got.Warnings(), "\n")
			if (warning == "") != (test.want.Len() == 0) {
				t.Errorf("warning %q", warning)
			}
			for _, path := range append(test.want.Query, test.want.Gallery...) {
				if !strings.Contains(warning, path) {
					t.Errorf("%s is not named in %q", path, warning)
				}
			}
		})
	}
}
