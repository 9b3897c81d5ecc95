package weights

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Values come back bit for bit, across the size in which they are written.
func TestWriteSafetensors(t *testing.T) {
	many := ramp(0, 1<<14+3)
	many[5], many[6], many[7] = float32(math.Inf(-1)), float32(math.Copysign(0, -1)), math.Float32frombits(0x7fc12345)
	tensors := []Tensor{
		{Name: "b", Shape: []int{len(many)}, Data: many},
		{Name: "c", Shape: []int{0, 2}},
		{Name: "a", Data: []float32{3}},
	}
	metadata := map[string]string{"recipe": "quick", "epoch": "10"}
	var first, second bytes.Buffer
	if err := WriteSafetensors(&first, tensors, metadata); err != nil {
		t.Fatal(err)
	}
	slices.Reverse(tensors)
	if err := WriteSafetensors(&second, tensors, metadata); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the order of the tensors changes the file")
	}
	a, err := New("memory", bytes.NewReader(first.Bytes()), int64(first.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Info{{"a", "F32", []int{}}, {"b", "F32", []int{len(many)}}, {"c", "F32", []int{0, 2}}},
		a.Tensors()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(metadata, a.Metadata()); diff != "" {
		t.Error(diff)
	}
	got, err := a.Float32("b")
	if err != nil {
		t.Fatal(err)
	}
	for i := range many {
		if math.Float32bits(got[i]) != math.Float32bits(many[i]) {
			t.Fatalf("value %d is %v, was %v", i, got[i], many[i])
		}
	}
}

func TestWriteSafetensorsErrors(t *testing.T) {
	for _, c := range []struct {
		name    string
		tensors []Tensor
		reason  string
	}{
		{"length", []Tensor{{Name: "a", Shape: []int{2}, Data: []float32{1}}}, `tensor "a": 1 values for shape [2]`},
		{"shape", []Tensor{{Name: "a", Shape: []int{-1}}}, "negative"},
		{"twice", []Tensor{Tensor{Name: "a"}.scalar(), Tensor{Name: "a"}.scalar()}, "taken"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := WriteSafetensors(&bytes.Buffer{}, c.tensors, nil); err == nil ||
				!strings.Contains(err.Error(), c.reason) {
				t.Errorf("%v, want %q", err, c.reason)
			}
		})
	}
}

type fullDisk struct{ left int }

var errFull = errors.New("disk full")

func (d *fullDisk) Write(p []byte) (int, error) {
	if len(p) > d.left {
		return 0, errFull
	}
	d.left -= len(p)
	return len(p), nil
}

func TestWriteSafetensorsFullDisk(t *testing.T) {
	a := open(t, "state_dict.pth")
	for _, left := range []int{0, 8, 800} {
		if err := a.WriteSafetensors(&fullDisk{left}); !errors.Is(err, errFull) ||
			!strings.Contains(err.Error(), "state_dict.pth") {
			t.Errorf("%d bytes left: %v", left, err)
		}
	}
}

// A converted file holds the same tensors in the same types, and converting it again doesn't change it.
func TestConvert(t *testing.T) {
	for _, file := range []string{"checkpoint.pth", "dtypes_legacy.pth", "views.pth", "dtypes.safetensors"} {
		t.Run(file, func(t *testing.T) {
			a := open(t, file)
			var first, second bytes.Buffer
			if err := a.WriteSafetensors(&first); err != nil {
				t.Fatal(err)
			}
			b, err := New("converted", bytes.NewReader(first.Bytes()), int64(first.Len()))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(contents(t, a), contents(t, b)); diff != "" {
				t.Error(diff)
			}
			if err := b.WriteSafetensors(&second); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(first.Bytes(), second.Bytes()) {
				t.Error("converting again changes the file")
			}
		})
	}
}
