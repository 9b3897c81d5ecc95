package weights

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/weights/internal/pickle"
	"github.com/reidbench/reidbench/bench/weights/internal/tensor"
)

// ramp is what testdata/README.md fills tensors with: i/8 − 1 from a start on.
func ramp(start, n int) []float32 {
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(start+i)/8 - 1
	}
	return values
}

func pick(values []float32, index ...int) []float32 {
	var list []float32
	for _, i := range index {
		list = append(list, values[i])
	}
	return list
}

func open(t *testing.T, name string) *Archive {
	t.Helper()
	a, err := Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

// stored is a tensor as the tests expect it; no values for types that aren't real.
type stored struct {
	DType  string
	Shape  []int
	Values []float32
}

func contents(t *testing.T, a *Archive) map[string]stored {
	t.Helper()
	all := make(map[string]stored)
	for _, info := range a.Tensors() {
		values, err := a.Float32(info.Name)
		if err != nil && !errors.Is(err, tensor.ErrNotReal) {
			t.Error(err)
		}
		all[info.Name] = stored{info.DType, info.Shape, values}
	}
	return all
}

var (
	network = map[string]stored{
		"conv.weight":            {"F32", []int{4, 3, 3, 3}, ramp(0, 108)},
		"bn.weight":              {"F32", []int{4}, ramp(1, 4)},
		"bn.bias":                {"F32", []int{4}, ramp(2, 4)},
		"bn.running_mean":        {"F32", []int{4}, ramp(3, 4)},
		"bn.running_var":         {"F32", []int{4}, ramp(4, 4)},
		"bn.num_batches_tracked": {"I64", []int{}, nil},
		"fc.weight":              {"F32", []int{5, 4}, ramp(6, 20)},
		"fc.bias":                {"F32", []int{5}, ramp(7, 5)},
	}
	beside = map[string]stored{
		"weight": {"F32", []int{2, 3}, ramp(0, 6)},
		"bias":   {"F32", []int{2}, ramp(0, 2)},
		"stated": {"F32", []int{3}, ramp(0, 3)},
	}
	everyType = map[string]stored{
		"f64": {"F64", []int{2, 3}, ramp(8, 6)}, "f32": {"F32", []int{2, 3}, ramp(8, 6)},
		"f16": {"F16", []int{2, 3}, ramp(8, 6)}, "bf16": {"BF16", []int{2, 3}, ramp(8, 6)},
		"i64": {"I64", []int{2, 3}, nil}, "i32": {"I32", []int{2, 3}, nil}, "i16": {"I16", []int{2, 3}, nil},
		"i8": {"I8", []int{2, 3}, nil}, "u8": {"U8", []int{2, 3}, nil}, "bool": {"BOOL", []int{2, 3}, nil},
		"scalar": {"F32", []int{}, []float32{2.5}}, "empty": {"F32", []int{0, 3}, []float32{}},
	}
	views = map[string]stored{
		"base": {"F32", []int{4, 6}, ramp(0, 24)},
		"transposed": {"F32", []int{6, 4}, pick(ramp(0, 24), 0, 6, 12, 18, 1, 7, 13, 19, 2, 8, 14, 20, 3, 9, 15, 21,
			4, 10, 16, 22, 5, 11, 17, 23)},
		"column":        {"F32", []int{4}, pick(ramp(0, 24), 2, 8, 14, 20)},
		"rows":          {"F32", []int{2, 6}, ramp(6, 12)},
		"grid":          {"F32", []int{2, 3}, pick(ramp(0, 24), 1, 3, 5, 13, 15, 17)},
		"channels_last": {"F32", []int{2, 3, 2, 2}, ramp(0, 24)},
	}
)

func TestOpen(t *testing.T) {
	for _, c := range []struct {
		file, format, wrapper string
		want                  map[string]stored
	}{
		{"state_dict.pth", PyTorch, "", network},
		{"state_dict_legacy.pth", PyTorchOld, "", network},
		{"protocol4.pth", PyTorch, "", network},
		{"checkpoint.pth", PyTorch, "state_dict", network},
		{"checkpoint_legacy.pth", PyTorchOld, "state_dict", network},
		{"parameters.pth", PyTorch, "model", network},
		{"parameters_legacy.pth", PyTorchOld, "model", network},
		{"beside.pth", PyTorch, "state_dict", beside},
		{"beside_legacy.pth", PyTorchOld, "state_dict", beside},
		{"beside_protocol5.pth", PyTorch, "state_dict", beside},
		{"trap.pth", PyTorch, "state_dict", beside},
		{"dtypes.pth", PyTorch, "", everyType},
		{"dtypes_legacy.pth", PyTorchOld, "", everyType},
		{"views.pth", PyTorch, "", views},
		{"views_legacy.pth", PyTorchOld, "", views},
		{"attributes.pth", PyTorch, "", map[string]stored{"tagged": {"F32", []int{3}, ramp(0, 3)}}},
		{"old_parameters.pth", PyTorchOld, "", map[string]stored{
			"features.denseblock1.denselayer1.norm1.weight": {"F32", []int{3}, ramp(1, 3)},
			"features.denseblock1.denselayer2.norm1.weight": {"F32", []int{3}, ramp(2, 3)},
		}},
		{"dtypes.safetensors", Safetensors, "", map[string]stored{
			"f64": everyType["f64"], "f32": everyType["f32"], "f16": everyType["f16"], "bf16": everyType["bf16"],
			"i64": {"I64", []int{}, nil}, "bool": {"BOOL", []int{3}, nil}, "empty": everyType["empty"],
		}},
	} {
		t.Run(c.file, func(t *testing.T) {
			a := open(t, c.file)
			if a.Format() != c.format || a.Wrapper() != c.wrapper {
				t.Errorf("format %q, wrapper %q", a.Format(), a.Wrapper())
			}
			if diff := cmp.Diff(c.want, contents(t, a)); diff != "" {
				t.Error(diff)
			}
		})
	}
	if diff := cmp.Diff(map[string]string{"format": "pt"}, open(t, "dtypes.safetensors").Metadata()); diff != "" {
		t.Error(diff)
	}
}

// TestSkipped: what else a file would have had Python call is told.
func TestSkipped(t *testing.T) {
	if diff := cmp.Diff([]string{"posix.system"}, open(t, "trap.pth").Skipped()); diff != "" {
		t.Error(diff)
	}
	skipped := open(t, "beside.pth").Skipped()
	for _, name := range []string{
		"numpy.core.multiarray.scalar", "argparse.Namespace", "collections.Counter", "torch.Size", "torch.device",
		"torch.float32", "_codecs.encode", "__builtin__.set", "__builtin__.bytearray", "__builtin__.complex",
		"torch._utils._rebuild_qtensor", "torch._utils._rebuild_sparse_tensor", "torch.nn.modules.activation.ReLU",
	} {
		if !slices.Contains(skipped, name) {
			t.Errorf("%s is not among %q", name, skipped)
		}
	}
	if skipped := open(t, "checkpoint.pth").Skipped(); len(skipped) > 0 {
		t.Errorf("%q", skipped)
	}
}

// Every error begins with the file's name and says why.
func TestOpenErrors(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text.pth")
	if err := os.WriteFile(text, []byte("<!DOCTYPE html><html>"), 0o666); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for path, reason := range map[string]string{
		text:                     "a web page",
		empty:                    "an empty file",
		"testdata/malicious.pth": `posix.system under the key "trap": refused`,
		"testdata/expanded.pth":  "refused",
	} {
		_, err := Open(path)
		if err == nil || !strings.HasPrefix(err.Error(), path+": ") || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v, want %q", path, err, reason)
		}
		if strings.Contains(reason, "refused") != errors.Is(err, pickle.ErrRefused) {
			t.Errorf("%s: %v is ErrRefused: %v", path, err, errors.Is(err, pickle.ErrRefused))
		}
	}
	if _, err := Open(t.TempDir()); !errors.Is(err, syscall.EISDIR) {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Open("testdata/absent"); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if _, err := open(t, "views.pth").Float32("absent"); err == nil ||
		!strings.Contains(err.Error(), `views.pth: no tensor "absent"`) {
		t.Error(err)
	}
	if _, err := open(t, "dtypes.pth").Float32("i64"); !errors.Is(err, tensor.ErrNotReal) {
		t.Error(err)
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"module.a module.b", "a b"},
		{"module.module.a module.module.b", "a b"},
		{"module.a b", "module.a b"},
		{"module.", ""},
		{"_orig_mod.a _orig_mod.b", "a b"},
		{"_orig_mod.module.a.c _orig_mod.module.b", "a.c b"},
		{"module._orig_mod.module.a module._orig_mod.module.b", "a b"},
		{"module.a _orig_mod.b", "module.a _orig_mod.b"},
		{"module.a n_averaged", "a"},
		{"module.a module.total_ops total_ops total_params", "a total_ops"},
		{"a n_averaged total_ops", "a n_averaged total_ops"},
		{"n_averaged", "n_averaged"},
		{"features.denseblock1.denselayer12.norm.1.bias features.denseblock1.denselayer12.conv.2.weight",
			"features.denseblock1.denselayer12.norm1.bias features.denseblock1.denselayer12.conv2.weight"},
		{
			"features.transition1.norm.1.bias layer1.conv.1.weight",
			"features.transition1.norm.1.bias layer1.conv.1.weight",
		},
	} {
		var tensors []tensor.View
		for _, name := range strings.Fields(c.in) {
			tensors = append(tensors, tensor.View{Name: name})
		}
		tensors = trimWrappers(tensors)
		renameDense(tensors)
		var got []string
		for _, v := range tensors {
			got = append(got, v.Name)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", c.in, got, c.want)
		}
	}
}

// archive indexes tensors that were written as safetensors.
func archive(t *testing.T, tensors ...Tensor) (*Archive, error) {
	t.Helper()
	var b bytes.Buffer
	if err := WriteSafetensors(&b, tensors, nil); err != nil {
		t.Fatal(err)
	}
	return New("memory", bytes.NewReader(b.Bytes()), int64(b.Len()))
}

func TestTwoTensorsOfOneName(t *testing.T) {
	_, err := archive(t, Tensor{Name: "denselayer1.norm.1.bias"}.scalar(),
		Tensor{Name: "denselayer1.norm1.bias"}.scalar())
	if err == nil || err.Error() != `memory: two tensors stand for "denselayer1.norm1.bias"` {
		t.Error(err)
	}
}

func (t Tensor) scalar() Tensor {
	t.Data = []float32{1}
	return t
}

// A small file whose tensors all look at one storage.
func TestTotal(t *testing.T) {
	a := &Archive{}
	v := tensor.View{DType: tensor.Float32, Shape: []int{250}}
	for range 16 {
		a.tensors = append(a.tensors, v)
	}
	if err := a.checkTotal(1000); err != nil {
		t.Error(err)
	}
	a.tensors = append(a.tensors, v)
	if err := a.checkTotal(1000); err == nil {
		t.Error("17 times the file's bytes are accepted")
	}
}

// TestReach: what lies between a tensor's values has to be read, too.
func TestReach(t *testing.T) {
	const size = 1 << 20
	for _, test := range []struct {
		tensors int
		view    tensor.View
		refused bool
	}{
		{40, tensor.View{DType: tensor.Float32, Shape: []int{2}, Strides: []int{1000}}, false},
		{16, tensor.View{DType: tensor.Float32, Shape: []int{2}, Strides: []int{size/4 - 1}}, false},
		{40, tensor.View{DType: tensor.Float32, Shape: []int{2}, Strides: []int{size/4 - 1}}, true},
		{40, tensor.View{DType: tensor.Float32, Shape: []int{size / 4}}, true},
	} {
		a := &Archive{tensors: slices.Repeat([]tensor.View{test.view}, test.tensors)}
		if err := a.checkTotal(size); (err != nil) != test.refused {
			t.Errorf("%d tensors like %+v: %v", test.tensors, test.view, err)
		}
	}
}
