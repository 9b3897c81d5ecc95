package market1501

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Files come in their order and as often as they are named, a folder's sorted by path.
func TestNamedImages(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, file := range []string{
		"b.jpg", "a.PNG", "notes.txt", "known/z.jpeg", "known/eve/2.jpg", "known/eve/10.jpg", "known/.cache/1.jpg",
		"known/.hidden.jpg", "empty/readme.md",
	} {
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		paths, want string // with blanks between them
	}{
		{"b.jpg a.PNG b.jpg", "b.jpg a.PNG b.jpg"},
		{"notes.txt", "notes.txt"}, // whether it is an image its content says
		{"known", "known/eve/10.jpg known/eve/2.jpg known/z.jpeg"},
		{"a.PNG known/eve", "a.PNG known/eve/10.jpg known/eve/2.jpg"},
	} {
		s, err := NamedImages(t.Context(), strings.Fields(test.paths))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range s.Entries {
			got = append(got, e.Path)
		}
		if diff := cmp.Diff(strings.Fields(test.want), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.paths, diff)
		}
	}
	if _, err := NamedImages(t.Context(), []string{"a.PNG", "absent.jpg"}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := NamedImages(t.Context(), []string{"empty"}); !errors.Is(err, ErrEmptySplit) {
		t.Errorf("a folder without images: %v", err)
	}
}

// TestNearest: nobody is left out, and of equal distances the first comes first.
func TestNearest(t *testing.T) {
	features := func(values ...float32) *Features {
		n := len(values) / 2
		f := &Features{Dim: 2, Values: values, PIDs: make([]int32, n), CamIDs: make([]int32, n)}
		f.PIDs[0] = 7
		return f
	}
	query, gallery := features(0, 0, 3, 0), features(0, 0, 3, 4, 0, 5, 3, -4)
	got, err := Nearest(t.Context(), query, gallery, Euclidean, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	want := [][]Found{
		{{Image: 0}, {Image: 1, Distance: 5}, {Image: 2, Distance: 5}},
		{{Image: 0, Distance: 3}, {Image: 1, Distance: 4}, {Image: 3, Distance: 4}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("nearest (-want +got):\n%s", diff)
	}
	if _, err := Nearest(t.Context(), query, &Features{Dim: 3}, Euclidean, 1, 1); !errors.Is(err, ErrFeatures) {
		t.Errorf("features of another length: %v", err)
	}
}

// TestWriteNPY reads the array as its format is described: numpy.lib.format, version 1.0.
func TestWriteNPY(t *testing.T) {
	f := &Features{Dim: 2, Values: []float32{1, -2.5, 3, 4e-30}, PIDs: make([]int32, 2)}
	var file bytes.Buffer
	if err := f.WriteNPY(&file, 3, []int{0, 2}); err != nil {
		t.Fatal(err)
	}
	b := file.Bytes()
	length := int(binary.LittleEndian.Uint16(b[8:]))
	head, values := string(b[10:10+length]), b[10+length:]
	shape := regexp.MustCompile(`^\{'descr': '<f4', 'fortran_order': False, 'shape': \(3, 2\), \} *\n$`)
	if string(b[:8]) != "\x93NUMPY\x01\x00" || (10+length)%64 != 0 || !shape.MatchString(head) {
		t.Errorf("begins with %q and %q", b[:8], head)
	}
	var got []float32
	for at := 0; at < len(values); at += 4 {
		got = append(got, math.Float32frombits(binary.LittleEndian.Uint32(values[at:])))
	}
	nan := float32(math.NaN())
	same := cmp.Comparer(func(x, y float32) bool { return x == y || x != x && y != y })
	if diff := cmp.Diff([]float32{1, -2.5, nan, nan, 3, 4e-30}, got, same); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}
