package market1501

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// npy is an array of NumPy's with that header and those values.
func npy(header string, values ...any) []byte {
	var file bytes.Buffer
	file.WriteString(npyMagic + "\x01\x00")
	binary.Write(&file, binary.LittleEndian, uint16(len(header)))
	file.WriteString(header)
	for _, v := range values {
		binary.Write(&file, binary.LittleEndian, v)
	}
	return file.Bytes()
}

// floats is the header of an array of a type and a shape.
func floats(kind, shape string) string {
	return fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }\n", kind, shape)
}

func TestReadNPY(t *testing.T) {
	version2 := append([]byte(npyMagic+"\x02\x00\x3c\x00\x00\x00"), fmt.Sprintf("%-60s", floats("<f4", "1, 1"))...)
	version2 = binary.LittleEndian.AppendUint32(version2, math.Float32bits(7))
	for name, test := range map[string]struct {
		file []byte
		dim  int
		want []float32
	}{
		"float32":      {npy(floats("<f4", "2, 1"), float32(1.5), float32(-2)), 1, []float32{1.5, -2}},
		"float64":      {npy(floats("<f8", "1, 2"), 0.1, math.MaxFloat32), 2, []float32{0.1, math.MaxFloat32}},
		"without axis": {npy(floats("<f4", "2,"), float32(1), float32(2)), 2, []float32{1, 2}},
		"format 2":     {version2, 1, []float32{7}},
		"C++'s header": {npy(`{"shape":(1,1),"descr":"<f4","fortran_order":False}`, float32(3)), 1, []float32{3}},
	} {
		f, err := parseNPY(bytes.NewReader(test.file), int64(len(test.file)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if diff := cmp.Diff(test.want, f.Values); diff != "" || f.Dim != test.dim {
			t.Errorf("%s: %d values per image (-want +got):\n%s", name, f.Dim, diff)
		}
	}
}

// TestReadNPYReadsWhatIsWritten, but for rows that no image has.
func TestReadNPYReadsWhatIsWritten(t *testing.T) {
	f := &Features{Dim: 3, Values: []float32{1, 2, 3, 4, 5, 6}, PIDs: make([]int32, 2), CamIDs: make([]int32, 2)}
	var file bytes.Buffer
	if err := f.WriteNPY(&file, 2, []int{0, 1}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "f.npy")
	writeFile(t, path, file.Bytes())
	got, err := readNPY(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(f, got); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
}

func TestReadNPYRefuses(t *testing.T) {
	for _, test := range []struct {
		file []byte
		want string
	}{
		{nil, "no array of NumPy's"},
		{[]byte("file,f0\na.jpg,1\n"), "no array of NumPy's"},
		{[]byte(npyMagic + "\x04\x00\x00\x00"), "format 4"},
		{[]byte(npyMagic + "\x01\x00\xff"), "its header"},
		{[]byte(npyMagic + "\x02\x00\xff\xff\xff\xff"), "its header: 4294967295 bytes"},
		{npy("{}"), "does not say type"},
		{npy("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1, 1)}"), "does not say type"},
		{npy(floats("<f2", "1, 1"), uint16(0)), "type \"<f2\", not float32"},
		{npy(floats(">f4", "1, 1"), float32(0)), "type \">f4\", not float32"},
		{npy(floats("|O", "1, 1")), "type \"|O\""},
		{npy(floats("<f4", "")), "a shape of ()"},
		{npy(floats("<f4", "1, 2, 3")), "a shape of (1, 2, 3), not (images, values)"},
		{npy(floats("<f4", "0, 2")), "0 rows"},
		{npy(floats("<f4", "1152921504606846976, 1")), "an axis is too long"},
		{npy(floats("<f4", "99999999999999999999, 1")), "an axis is too long"},
		{npy(floats("<f4", "2147483647, 2147483647")), "more than 4294967296 values"},
		{npy(floats("<f4", "4294967, 1000")), "which are 17179868000; there are 0"},
		{npy(floats("<f4", "1, 2"), float32(1)), "there are 4"},
		{npy(floats("<f4", "1, 1"), 1.0), "there are 8"},
		{npy(floats("<f8", "2, 1"), 1.0, 1e300), "row 1 (from 0): value 0 is 1e+300"},
		{npy(strings.Replace(floats("<f4", "1, 1"), "False", "True", 1), float32(1)), "np.ascontiguousarray"},
	} {
		_, err := parseNPY(bytes.NewReader(test.file), int64(len(test.file)))
		if !errors.Is(err, ErrFeatures) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.90q: %v, not one that says %q", test.file, err, test.want)
		}
	}
}

// FuzzReadNPY: whatever the bytes, nothing is made of them that they don't hold.
func FuzzReadNPY(f *testing.F) {
	f.Add(npy(floats("<f4", "2, 1"), float32(1.5), float32(-2)))
	f.Add(npy(floats("<f8", "1, 2"), 0.1, 1e300))
	f.Add(npy(floats("<f4", "1152921504606846976, 1")))
	f.Fuzz(func(t *testing.T, file []byte) {
		features, err := parseNPY(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			if !errors.Is(err, ErrFeatures) {
				t.Errorf("%v is no error about features", err)
			}
			return
		}
		if n := features.Len(); n < 1 || len(features.Values) != n*features.Dim || 4*len(features.Values) > len(file) {
			t.Errorf("%d values of %d images, %d each, from %d bytes", len(features.Values), n, features.Dim, len(file))
		}
	})
}
