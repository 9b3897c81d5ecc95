package market1501

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReadFeatures: what is written is read again, to the bit.
func TestReadFeatures(t *testing.T) {
	query := &Features{Dim: 2, Values: []float32{0.1, -math.SmallestNonzeroFloat32}, PIDs: []int32{7},
		CamIDs: []int32{1}, Names: []string{`a, "b".jpg`}}
	gallery := &Features{Dim: 2, Values: []float32{1e-30, 16777217, 0, math.MaxFloat32}, PIDs: []int32{0, 7},
		CamIDs: []int32{2, 3}, Names: []string{"bounding_box_test/b.jpg", "bounding_box_test/c.jpg"}}
	file := filepath.Join(t.TempDir(), "features.csv")
	if err := WriteFeatures(file, query, gallery); err != nil {
		t.Fatal(err)
	}
	gotQuery, gotGallery, err := ReadFeatures(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]*Features{query, gallery}, []*Features{gotQuery, gotGallery}); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
	if _, _, err := ReadFeatures(file + "-not-there"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func TestReadFeaturesRefuses(t *testing.T) {
	for _, test := range []struct{ content, want string }{
		{"", "an empty file"},
		{"file,pid,camid,split,f0\n", "0 queries"},
		{"file,pid,camid,f0\na,1,1,0.5\n", "don't begin with file,pid,camid,split"},
		{"file,pid,camid,split,f0\na,1,1,query,0.5\n", "0 gallery images"},
		{"file,pid,camid,split,f0\na,1,1,train,0.5\n", `line 2: split "train" is neither query nor gallery`},
		{"file,pid,camid,split,f0\na,1,1,query,0.5,1\n", "line 2: 2 values, not 1"},
		{"file,pid,camid,split,f0\na,1,1\n", "too few columns"},
		{"file,pid,camid,split,f0\na,1,x,query,0.5\n", "invalid syntax"},
		{"file,pid,camid,split,f0\na,1,1,query,much\n", "invalid syntax"},
		{"file,pid,camid,split,f0\n,1,1,query,1\n", "without a name"},
		{"file,pid,camid,split,f0\n" + strings.Repeat("a", 2*maxFeatureLine), "a line is too long"},
	} {
		file := filepath.Join(t.TempDir(), "features.csv")
		if err := os.WriteFile(file, []byte(test.content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, err := ReadFeatures(file)
		if !errors.Is(err, ErrFeatures) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.60q: %v, not one that says %q", test.content, err, test.want)
		}
	}
}

func FuzzReadFeatures(f *testing.F) {
	f.Add("file,pid,camid,split,f0\na,1,1,query,0.5\nb,1,2,gallery,NaN\n")
	f.Fuzz(func(t *testing.T, content string) {
		query, gallery, err := parseFeatures(strings.NewReader(content))
		if err != nil {
			return
		}
		for _, set := range []*Features{query, gallery} {
			if set.Len() == 0 || len(set.Values) != set.Len()*set.Dim || len(set.Names) != set.Len() {
				t.Errorf("%d values of %d images, %d each", len(set.Values), set.Len(), set.Dim)
			}
		}
	})
}
