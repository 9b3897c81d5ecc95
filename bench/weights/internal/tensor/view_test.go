package tensor

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every half-precision number against the definition in IEEE 754, computed in float64, which is exact.
func TestFromHalf(t *testing.T) {
	for h := range 1 << 16 {
		exponent, fraction := h>>10&0x1f, float64(h&0x3ff)
		var want float64
		switch exponent {
		case 0:
			want = math.Ldexp(fraction, -24)
		case 31:
			want = math.Inf(1)
			if fraction > 0 {
				want = math.NaN()
			}
		default:
			want = math.Ldexp(1024+fraction, exponent-25)
		}
		if h>>15 == 1 {
			want = -want
		}
		got := fromHalf(uint16(h))
		same := float64(got) == want && math.Signbit(float64(got)) == math.Signbit(want)
		if !same && !(math.IsNaN(want) && got != got) {
			t.Fatalf("%#04x is %v, want %v", h, got, want)
		}
	}
}

func TestElements(t *testing.T) {
	for _, c := range []struct {
		shape  []int
		want   int64
		reason string
	}{
		{shape: nil, want: 1},
		{shape: []int{2, 3, 4}, want: 24},
		{shape: []int{0, math.MaxInt, math.MaxInt}, want: 0},
		{shape: []int{1 << 30, 1 << 30}, reason: "too many elements"},
		{shape: []int{1 << 16, 1 << 16, 1 << 16, 1 << 16}, reason: "too many elements"}, // 0 modulo 2⁶⁴
		{shape: []int{3, -1}, reason: "negative dimension"},
		{shape: make([]int, MaxRank+1), reason: "dimensions"},
	} {
		got, err := Elements(c.shape)
		if got != c.want || !explains(err, c.reason) {
			t.Errorf("%v: %d, %v, want %d, %q", c.shape, got, err, c.want, c.reason)
		}
	}
}

func TestSpan(t *testing.T) {
	for _, c := range []struct {
		shape, strides []int
		want           int64
		reason         string
	}{
		{want: 1},
		{shape: []int{4, 6}, strides: []int{6, 1}, want: 24},
		{shape: []int{6, 4}, strides: []int{1, 6}, want: 24},
		{shape: []int{4}, strides: []int{6}, want: 19},
		{shape: []int{1}, strides: []int{math.MaxInt}, want: 1},
		{shape: []int{0, 5}, strides: []int{5, 1}, want: 0},
		{shape: []int{2}, strides: []int{-1}, reason: "negative stride"},
		{shape: []int{2, 2}, strides: []int{1}, reason: "1 strides"},
		{shape: []int{1 << 30}, strides: []int{1 << 30}, reason: "too far"},
		{shape: []int{math.MaxInt}, strides: []int{math.MaxInt}, reason: "too far"},
		{shape: []int{1<<29 + 1, 1<<29 + 1}, strides: []int{1 << 29, 1 << 29}, reason: "too far"}, // only together
	} {
		got, err := Span(c.shape, c.strides)
		if got != c.want || !explains(err, c.reason) {
			t.Errorf("%v by %v: %d, %v, want %d, %q", c.shape, c.strides, got, err, c.want, c.reason)
		}
	}
}

// Strided views against index arithmetic, packed ones across the size in which they are read.
func TestFloat32(t *testing.T) {
	const stored = 3*chunk/4 + 5
	data := []byte{0xff} // an odd place
	for i := range stored {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(i)))
	}
	for _, c := range []struct {
		name           string
		first          int
		shape, strides []int
		want           func(index []int) int
	}{
		{"packed", 3, []int{stored - 3}, nil, func(i []int) int { return 3 + i[0] }},
		{"scalar", 7, nil, nil, func([]int) int { return 7 }},
		{"transposed", 0, []int{6, 4}, []int{1, 6}, func(i []int) int { return i[0] + 6*i[1] }},
		{"column", 2, []int{4}, []int{6}, func(i []int) int { return 2 + 6*i[0] }},
		{
			"channels last", 0, []int{2, 3, 2, 2}, []int{12, 1, 6, 3},
			func(i []int) int { return 12*i[0] + i[1] + 6*i[2] + 3*i[3] },
		},
		{"empty", 0, []int{2, 0, 3}, []int{9, 5, 1}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := View{DType: Float32, Shape: c.shape, Strides: c.strides, Offset: int64(1 + 4*c.first)}
			var want []float32
			for _, index := range indices(c.shape) {
				want = append(want, float32(c.want(index)))
			}
			got, err := v.Float32(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, want) {
				t.Errorf("differs: %v", cmp.Diff(want, got))
			}
			var packed bytes.Buffer
			if err := v.CopyTo(&packed, bytes.NewReader(data)); err != nil {
				t.Fatal(err)
			}
			again, err := View{DType: Float32, Shape: c.shape}.Float32(bytes.NewReader(packed.Bytes()))
			if err != nil || !slices.Equal(again, want) {
				t.Errorf("copy differs: %v, %v", err, cmp.Diff(want, again))
			}
		})
	}
}

// indices lists all indices of a shape, last dimension fastest.
func indices(shape []int) [][]int {
	list := [][]int{{}}
	for _, d := range shape {
		var longer [][]int
		for _, index := range list {
			for i := range d {
				longer = append(longer, append(slices.Clone(index), i))
			}
		}
		list = longer
	}
	return list
}

func TestFloat32Errors(t *testing.T) {
	short := bytes.NewReader(make([]byte, 10))
	for _, strides := range [][]int{nil, {2}} {
		v := View{DType: Float32, Shape: []int{3}, Strides: strides}
		if _, err := v.Float32(short); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("strides %v: %v beyond the end", strides, err)
		}
	}
	if _, err := (View{DType: Int64, Shape: []int{1}}).Float32(short); !errors.Is(err, ErrNotReal) {
		t.Errorf("I64: %v", err)
	}
}

func TestPacked(t *testing.T) {
	for _, c := range []struct {
		shape, strides []int
		want           bool
	}{
		{nil, nil, true},
		{[]int{2, 3}, []int{3, 1}, true},
		{[]int{2, 3}, []int{1, 2}, false},
		{[]int{5, 1, 3}, []int{3, 77, 1}, true},
		{[]int{0, 3}, []int{9, 9}, true},
		{[]int{2}, []int{2}, false},
	} {
		if got := Packed(c.shape, c.strides); got != c.want {
			t.Errorf("%v by %v: %v", c.shape, c.strides, got)
		}
	}
}

// explains reports whether err holds the reason, or is nil if there is none.
func explains(err error, reason string) bool {
	if reason == "" {
		return err == nil
	}
	return err != nil && strings.Contains(err.Error(), reason)
}
