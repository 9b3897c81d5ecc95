package pth

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/weights/internal/pickle"
	"github.com/reidbench/reidbench/bench/weights/internal/tensor"
)

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func read(data []byte) (*File, error) { return Read(bytes.NewReader(data), int64(len(data))) }

func wantError(t *testing.T, data []byte, reason string) {
	t.Helper()
	if _, err := read(data); err == nil || !strings.Contains(err.Error(), reason) {
		t.Errorf("%v, want %q", err, reason)
	}
}

// Views keep their strides, unless they are packed anyway; all but one look at the storage of base.
func TestViews(t *testing.T) {
	for _, name := range []string{"views.pth", "views_legacy.pth"} {
		f, err := read(fixture(t, name))
		if err != nil {
			t.Fatal(err)
		}
		base := f.Tensors[0].Offset
		for i := range f.Tensors {
			f.Tensors[i].Offset -= base
		}
		other := f.Tensors[5].Offset
		want := []tensor.View{
			{Name: "base", DType: tensor.Float32, Shape: []int{4, 6}},
			{Name: "transposed", DType: tensor.Float32, Shape: []int{6, 4}, Strides: []int{1, 6}},
			{Name: "column", DType: tensor.Float32, Shape: []int{4}, Strides: []int{6}, Offset: 2 * 4},
			{Name: "rows", DType: tensor.Float32, Shape: []int{2, 6}, Offset: 6 * 4},
			{Name: "grid", DType: tensor.Float32, Shape: []int{2, 3}, Strides: []int{12, 2}, Offset: 1 * 4},
			{
				Name: "channels_last", DType: tensor.Float32, Shape: []int{2, 3, 2, 2}, Strides: []int{12, 1, 6, 3},
				Offset: other,
			},
		}
		if diff := cmp.Diff(want, f.Tensors); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if other > 0 && other < 4*6*4 {
			t.Errorf("%s: channels_last lies within base", name)
		}
	}
}

// What a file says beyond tensors is refused by its name; the reasons are those that a user reads.
func TestRefused(t *testing.T) {
	for name, reason := range map[string]string{
		"malicious.pth":        `state dict with a posix.system under the key "trap": refused`,
		"malicious_legacy.pth": `state dict with a posix.system under the key "trap": refused`,
		"whole_module.pth": "holds a torch.nn.modules.linear.Linear, which is not read, instead of a dict of " +
			"tensors: save a module's state_dict(): refused",
		"expanded.pth": "repeats the 1 elements of storage \"0\": refused",
	} {
		_, err := read(fixture(t, name))
		if !errors.Is(err, pickle.ErrRefused) || !strings.HasSuffix(err.Error(), reason) {
			t.Errorf("%s: %v, want %q", name, err, reason)
		}
	}
}

// No cut of a file is taken for a whole one.
func TestCutFiles(t *testing.T) {
	for _, name := range []string{"dtypes.pth", "dtypes_legacy.pth", "checkpoint_legacy.pth"} {
		data := fixture(t, name)
		for n := range data {
			if _, err := read(data[:n]); err == nil {
				t.Errorf("%s: %d of %d bytes are enough", name, n, len(data))
			}
		}
	}
	wantError(t, append(fixture(t, "dtypes_legacy.pth"), 0), "1 bytes are left over")
}

// rewrite copies an archive's records, each as edit returns it.
func rewrite(t *testing.T, data []byte, edit func(h *zip.FileHeader, body []byte) []byte) []byte {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		h := &zip.FileHeader{Name: f.Name, Method: zip.Store}
		if body = edit(h, body); body == nil {
			continue
		}
		to, err := w.CreateHeader(h)
		if err == nil {
			_, err = to.Write(body)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestZipErrors(t *testing.T) {
	for _, c := range []struct {
		name, reason string
		edit         func(h *zip.FileHeader, body []byte) []byte
	}{
		{"unchanged", "", func(h *zip.FileHeader, body []byte) []byte { return body }},
		{"little endian", "", func(h *zip.FileHeader, body []byte) []byte {
			if h.Name == "state_dict/version" {
				h.Name, body = "state_dict/byteorder", []byte("little")
			}
			return body
		}},
		{"big endian", "little endian: refused", func(h *zip.FileHeader, body []byte) []byte {
			if h.Name == "state_dict/version" {
				h.Name, body = "state_dict/byteorder", []byte("bigend")
			}
			return body
		}},
		{
			"compressed", "is compressed",
			func(h *zip.FileHeader, body []byte) []byte { h.Method = zip.Deflate; return body },
		},
		{"compressed storage", `"state_dict/data/0" is compressed`, func(h *zip.FileHeader, body []byte) []byte {
			if h.Name == "state_dict/data/0" {
				h.Method = zip.Deflate
			}
			return body
		}},
		{"no pickle", "without data.pkl", func(h *zip.FileHeader, body []byte) []byte {
			if strings.HasSuffix(h.Name, ".pkl") {
				return nil
			}
			return body
		}},
		{"two pickles", "records ", func(h *zip.FileHeader, body []byte) []byte {
			if h.Name == "state_dict/version" {
				h.Name = "other/data.pkl"
			}
			return body
		}},
		{"missing storage", `storage "6" has no record`, func(h *zip.FileHeader, body []byte) []byte {
			if h.Name == "state_dict/data/6" {
				return nil
			}
			return body
		}},
		{"short storage", `"state_dict/data/6" has 79 bytes, 20 of F32 need 80`, func(
			h *zip.FileHeader, body []byte,
		) []byte {
			if h.Name == "state_dict/data/6" {
				body = body[1:]
			}
			return body
		}},
		{"duplicate record", `duplicate record "state_dict/data/6"`, func(h *zip.FileHeader, body []byte) []byte {
			if h.Name == "state_dict/data/7" {
				h.Name = "state_dict/data/6"
			}
			return body
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := rewrite(t, fixture(t, "state_dict.pth"), c.edit)
			if c.reason != "" {
				wantError(t, data, c.reason)
			} else if _, err := read(data); err != nil {
				t.Error(err)
			}
		})
	}
}

// A directory that lists one record's place for two storages.
func TestOverlap(t *testing.T) {
	data := fixture(t, "state_dict.pth")
	// in the central directory, which comes last; the place is at 42, the name at 46
	entry := func(name string) []byte {
		return data[bytes.LastIndex(data, []byte(name))-46:]
	}
	copy(entry("state_dict/data/2")[42:46], entry("state_dict/data/1")[42:46])
	wantError(t, data, "overlap")
}

func TestLongDirectory(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	name := strings.Repeat("n", 60000)
	for i := range maxDirectory/len(name) + 2 {
		if _, err := w.CreateRaw(&zip.FileHeader{Name: name + string(rune('a'+i))}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	wantError(t, b.Bytes(), "directory of more than")
}

// Averaged weights come first, and wrappers may be nested.
func TestWrappers(t *testing.T) {
	a, b := rebuild(floats("a", 4, "N"), 0, 4, 1), rebuild(floats("a", 4, "N"), 1, 3, 1)
	inner := func(t string) string { return "}U\x01w" + t + "s" }
	for wrapper, object := range map[string]string{
		"":                 dict("U\x01w", a),
		"model":            dict("U\x05model", inner(a)),
		"state_dict":       dict("U\x05model", inner(b), "U\x0astate_dict", inner(a)),
		"model_ema":        dict("U\x0astate_dict", inner(b), "U\x09model_ema", inner(a)),
		"state_dict_ema":   dict("U\x0astate_dict", inner(b), "U\x0estate_dict_ema", inner(a)),
		"model.state_dict": dict("U\x05model", "}U\x0astate_dict"+inner(a)+"s"),
		"model_state_dict": dict("U\x10model_state_dict", inner(a), "U\x05model", inner(b)),
		"net":              dict("U\x05epochK\x07", "U\x03net", inner(a), "U\x07network", inner(b)),
		"network":          dict("U\x06params", inner(b), "U\x07network", inner(a)),
		"params":           dict("U\x06params", inner(a)),
	} {
		f, err := read(legacy(object, keyA, strings.Repeat("x", 16)))
		if err != nil {
			t.Errorf("%s: %v", wrapper, err)
			continue
		}
		if f.Wrapper != wrapper || len(f.Tensors) != 1 || f.Tensors[0].Elements() != 4 {
			t.Errorf("%s: %+v", wrapper, f)
		}
	}
}

// TestLongNames: a list of tensors is as wide as its longest name.
func TestLongNames(t *testing.T) {
	file := func(length uint32) []byte {
		name := append(binary.LittleEndian.AppendUint32([]byte("X"), length), strings.Repeat("w", int(length))...)
		return legacy(dict(string(name), rebuild(floats("a", 4, "N"), 0, 4, 1)), keyA, strings.Repeat("x", 16))
	}
	if f, err := read(file(tensor.LongestName)); err != nil || len(f.Tensors) != 1 {
		t.Errorf("%+v, %v", f, err)
	}
	wantError(t, file(tensor.LongestName+1), "name of 513 bytes")
}

// Whatever is accepted lies within the file and can be read.
func FuzzRead(f *testing.F) {
	names, err := filepath.Glob("../../testdata/*.pth")
	if err != nil || len(names) == 0 {
		f.Fatal("no seeds: ", err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add(legacy(dict("U\x01w", rebuild(floats("a", 4, "N"), 1, 3, 1)), keyA, strings.Repeat("x", 16)))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := read(data)
		if err != nil {
			return
		}
		for _, v := range file.Tensors {
			if v.Bytes() > int64(len(data)) {
				t.Errorf("%q takes %d bytes of %d", v.Name, v.Bytes(), len(data))
			}
			var b bytes.Buffer
			if err := v.CopyTo(&b, bytes.NewReader(data)); err != nil || int64(b.Len()) != v.Bytes() {
				t.Errorf("%q: %d of %d bytes, %v", v.Name, b.Len(), v.Bytes(), err)
			}
		}
	})
}
