package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/weights/internal/tensor"
)

// file puts a header and a number of bytes of values together.
func file(header string, values int) []byte {
	data := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	data = append(data, header...)
	return append(data, make([]byte, values)...)
}

func read(data []byte) (*File, error) { return Read(bytes.NewReader(data), int64(len(data))) }

func TestRead(t *testing.T) {
	// The order in the header is free, as are spaces and escapes.
	header := "{ \"b\\u002e\" : {\"shape\":[3],\"dtype\":\"BF16\",\"data_offsets\":[8,14]},\n" +
		"\"__metadata__\":{\"k\":\"v\"},\"a\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]}," +
		"\"e\":{\"dtype\":\"I64\",\"shape\":[0,5],\"data_offsets\":[8,8]}," +
		"\"s\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[14,15]}}  "
	got, err := read(file(header, 15))
	if err != nil {
		t.Fatal(err)
	}
	start := int64(8 + len(header))
	want := &File{
		Metadata: map[string]string{"k": "v"},
		Tensors: []tensor.View{
			{Name: "a", DType: tensor.Float32, Shape: []int{1, 2}, Offset: start},
			{Name: "e", DType: tensor.Int64, Shape: []int{0, 5}, Offset: start + 8},
			{Name: "b.", DType: tensor.BFloat16, Shape: []int{3}, Offset: start + 8},
			{Name: "s", DType: tensor.Uint8, Shape: []int{}, Offset: start + 14},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestReadErrors(t *testing.T) {
	f32 := func(name, place string) string {
		return `"` + name + `":{"dtype":"F32","shape":[2],"data_offsets":` + place + `}`
	}
	long := file("{}", 0)
	binary.LittleEndian.PutUint64(long, math.MaxUint64)
	for _, c := range []struct {
		name   string
		data   []byte
		reason string
	}{
		{"empty file", nil, "too few"},
		{"header longer than the file", long, "header of 18446744073709551615 bytes"},
		{"not JSON", file("{]", 0), "header"},
		{"empty header", file("", 0), "begin with {"},
		{"a list", file("[]", 0), "begin with {"},
		{"space before", file(" {}", 0), "begin with {"},
		{"cut", file("{"+f32("a", "[0,8]"), 8), "header"},
		{"more JSON", file("{}{}", 0), "closing }"},
		{"garbage after", file("{}\x00", 0), "closing }"},
		{"not UTF-8", file("{\"\xff\":{}}", 0), "UTF-8"},
		{"duplicate tensor", file("{"+f32("a", "[0,8]")+","+f32("a", "[8,16]")+"}", 16), `duplicate key "a"`},
		{"duplicate tensor, escaped", file("{"+f32("a", "[0,8]")+","+f32("\\u0061", "[8,16]")+
			"}", 16), `duplicate key "a"`},
		{
			"duplicate field", file(`{"a":{"dtype":"F32","dtype":"F64","shape":[2],"data_offsets":[0,8]}}`, 8),
			`duplicate key "dtype"`,
		},
		{"unknown field", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}`, 8), "unknown key"},
		{"field of another case", file(`{"a":{"DType":"F32","shape":[2],"data_offsets":[0,8]}}`, 8), "unknown key"},
		{"missing field", file(`{"a":{"dtype":"F32","data_offsets":[0,4]}}`, 4), "missing"},
		{"unknown dtype", file(`{"a":{"dtype":"F4","shape":[2],"data_offsets":[0,8]}}`, 8), `unknown dtype "F4"`},
		{
			"negative size", file(`{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}`, 8),
			"-2 instead of a whole number",
		},
		{
			"fraction", file(`{"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}`, 8),
			"2.0 instead of a whole number",
		},
		{"exponent", file(`{"a":{"dtype":"F32","shape":[2e0],"data_offsets":[0,8]}}`, 8), "instead of a whole number"},
		{
			"beyond int64", file(`{"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,8]}}`, 8),
			"instead of a whole number",
		},
		{
			"product beyond int64",
			file(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, 0), "too many elements",
		},
		{"nested shape", file(`{"a":{"dtype":"F32","shape":[[2]],"data_offsets":[0,8]}}`, 8), "instead of a number"},
		{"three offsets", file("{"+f32("a", "[0,8,8]")+"}", 8), "3 numbers"},
		{"offsets reversed", file("{"+f32("a", "[8,0]")+"}", 8), "data_offsets [8, 0]"},
		{"size of another shape", file("{"+f32("a", "[0,12]")+"}", 12), "doesn't take 12 bytes"},
		{"odd size", file("{"+f32("a", "[0,7]")+"}", 7), "doesn't take 7 bytes"},
		{"beyond the file", file("{"+f32("a", "[0,8]")+"}", 7), "at most 7"},
		{"gap at the start", file("{"+f32("a", "[4,12]")+"}", 12), "where [0,"},
		{"gap between", file("{"+f32("a", "[0,8]")+","+f32("b", "[12,20]")+"}", 20), "where [8,"},
		{"overlap", file("{"+f32("a", "[0,8]")+","+f32("b", "[4,12]")+"}", 12), "where [8,"},
		{"same place", file("{"+f32("a", "[0,8]")+","+f32("b", "[0,8]")+"}", 8), "where [8,"},
		{"bytes left over", file("{"+f32("a", "[0,8]")+"}", 9), "take 8 bytes, the file has 9"},
		{"metadata that aren't text", file(`{"__metadata__":{"a":1}}`, 0), "instead of a string"},
		{"tensor that is none", file(`{"a":null}`, 0), "instead of {"},
		{"long name", file(`{"`+strings.Repeat("n", 1000)+`":{}}`, 0), "key of 1000 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := read(c.data); err == nil || !strings.Contains(err.Error(), c.reason) {
				t.Errorf("%v, want %q", err, c.reason)
			}
		})
	}
}

// A header may not be larger than its bound even if the file is. Nothing is read of it.
func TestHeaderBound(t *testing.T) {
	prefix := binary.LittleEndian.AppendUint64(nil, maxHeader+1)
	if _, err := Read(bytes.NewReader(prefix), 1<<40); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Error(err)
	}
}

func source(name string, dtype tensor.DType, values string, shape ...int) Source {
	return Source{Name: name, DType: dtype, Shape: shape, CopyTo: func(w io.Writer) error {
		_, err := io.WriteString(w, values)
		return err
	}}
}

func TestWrite(t *testing.T) {
	var b bytes.Buffer
	err := Write(&b, []Source{
		source("c", tensor.Uint8, "c", 1),
		source("b<", tensor.Float32, "bbbbbbbb", 2, 1),
		source("a", tensor.Float32, "aaaa"),
		source("d", tensor.Int64, "dddddddd", 1),
	}, map[string]string{"y": "2", "x": "1"})
	if err != nil {
		t.Fatal(err)
	}
	header := `{"__metadata__":{"x":"1","y":"2"},"d":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},` +
		`"a":{"dtype":"F32","shape":[],"data_offsets":[8,12]},` +
		`"b\u003c":{"dtype":"F32","shape":[2,1],"data_offsets":[12,20]},` +
		`"c":{"dtype":"U8","shape":[1],"data_offsets":[20,21]}}`
	for len(header)%8 != 0 {
		header += " "
	}
	want := append(file(header, 0), "ddddddddaaaabbbbbbbbc"...)
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Error(diff)
	}
	if _, err := read(b.Bytes()); err != nil {
		t.Error(err)
	}
}

func TestWriteErrors(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name    string
		sources []Source
		reason  string
	}{
		{"duplicate", []Source{source("a", tensor.Uint8, "a"), source("a", tensor.Uint8, "a")}, `"a" is taken`},
		{"reserved", []Source{source("__metadata__", tensor.Uint8, "a")}, "is taken"},
		{"dtype", []Source{source("a", "F4", "a")}, "unknown dtype"},
		{"shape", []Source{source("a", tensor.Uint8, "a", -1)}, "negative"},
		{"too few values", []Source{source("a", tensor.Uint8, "a", 2)}, "byte 1 instead of 2"},
		{"too many values", []Source{source("a", tensor.Uint8, "aaa", 2)}, "byte 3 instead of 2"},
		{
			"failing source",
			[]Source{{Name: "a", DType: tensor.Uint8, CopyTo: func(io.Writer) error { return broken }}}, "broken",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := Write(io.Discard, c.sources, nil); err == nil || !strings.Contains(err.Error(), c.reason) {
				t.Errorf("%v, want %q", err, c.reason)
			}
		})
	}
}

// Whatever is accepted can be read, and comes back when it is written and read again.
func FuzzRead(f *testing.F) {
	seed, err := os.ReadFile("../../testdata/dtypes.safetensors")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add(file("{}", 0))
	f.Add(file(`{"a":{"dtype":"F16","shape":[],"data_offsets":[0,2]}}`, 2))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bytes.NewReader(data)
		first, err := read(data)
		if err != nil {
			return
		}
		var sources []Source
		for _, v := range first.Tensors {
			sources = append(sources, Source{Name: v.Name, DType: v.DType, Shape: v.Shape,
				CopyTo: func(w io.Writer) error { return v.CopyTo(w, r) }})
			if values, err := v.Float32(r); v.DType.Real() && (err != nil || int64(len(values)) != v.Elements()) {
				t.Errorf("%q: %d values, %v", v.Name, len(values), err)
			}
		}
		var b bytes.Buffer
		if err := Write(&b, sources, first.Metadata); err != nil {
			t.Fatal(err)
		}
		second, err := read(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		byName := make(map[string]tensor.View)
		for _, v := range second.Tensors {
			byName[v.Name] = v
		}
		for _, v := range first.Tensors {
			var before, after bytes.Buffer
			if err := errors.Join(v.CopyTo(&before, r),
				byName[v.Name].CopyTo(&after, bytes.NewReader(b.Bytes()))); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(before.Bytes(), after.Bytes()) {
				t.Errorf("%q changed", v.Name)
			}
		}
	})
}
