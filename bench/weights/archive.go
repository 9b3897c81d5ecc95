// Package weights opens files of tensors: safetensors, and PyTorch's .pth in both of torch.save's formats. It writes
// safetensors.
//
// A file is indexed when it is opened and its values are read tensor by tensor, so its size doesn't matter. Whatever
// it says about lengths and places is checked before it is used, and nothing in it is run: the .pth reader understands
// what tensors need and refuses the rest (see packages pth and pickle).
//
// Names are the network's own. What training scripts put around them is seen through: in .pth files a dictionary under
// the key state_dict_ema, model_ema, state_dict, model_state_dict, model, net, network or params, the first of these
// that is there; and in every file the prefixes "module." and "_orig_mod.", if all the names have them.
// [Archive.Closest] sees through one more, where a network is a part of another. Torchvision's DenseNet files have
// names of an older style (denselayer1.norm.1), which become today's (denselayer1.norm1), as they do when torchvision
// loads them.
package weights

import (
	"errors"
	"fmt"
	"io"
	"sort"

	"github.com/reidbench/reidbench/bench/weights/internal/pth"
	"github.com/reidbench/reidbench/bench/weights/internal/safetensors"
	"github.com/reidbench/reidbench/bench/weights/internal/tensor"
	"github.com/reidbench/reidbench/results/regular"
)

// Info describes a tensor. DType is safetensors' name for it: F32, BF16, I64, BOOL and so on.
type Info struct {
	Name  string
	DType string
	Shape []int
}

// Archive is an open file of tensors. Its methods may be called concurrently, Close excepted.
type Archive struct {
	path     string
	r        io.ReaderAt
	close    func() error
	format   string
	wrapper  string
	skipped  []string
	part     string // the path of the module that the names were within, with a dot at its end
	metadata map[string]string
	tensors  []tensor.View // sorted by name
}

// The formats that Format answers.
const (
	Safetensors = "safetensors"
	PyTorch     = "PyTorch"
	PyTorchOld  = "PyTorch before 1.6"
)

// Open indexes the file. The format is told from its content, not its name. Errors name the file and the reason; those
// for what a pickle may not say are pickle.ErrRefused.
func Open(path string) (*Archive, error) {
	f, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	var a *Archive
	if err == nil {
		a, err = New(path, f, info.Size())
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	a.close = f.Close
	return a, nil
}

// New indexes size bytes that something else than a file holds. The path is what errors name.
func New(path string, r io.ReaderAt, size int64) (*Archive, error) {
	a := &Archive{path: path, r: r}
	if err := a.index(size); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return a, nil
}

func (a *Archive) index(size int64) error {
	head := make([]byte, min(size, headSize))
	if n, err := a.r.ReadAt(head, 0); n < len(head) {
		return err
	}
	if what := foreign(head); what != "" {
		return errors.New(what)
	}
	err := a.read(head, size)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the file ends too early, as after a download that broke: %w", err)
	}
	if err != nil {
		return err
	}
	a.tensors = trimWrappers(a.tensors)
	renameDense(a.tensors)
	if err := a.sort(); err != nil {
		return err
	}
	return a.checkTotal(size)
}

// read lists the tensors of a file that begins so.
func (a *Archive) read(head []byte, size int64) error {
	if pth.IsZip(head) || pth.IsLegacy(head) {
		f, err := pth.Read(a.r, size)
		if err != nil {
			return err
		}
		a.tensors, a.wrapper, a.skipped, a.format = f.Tensors, f.Wrapper, f.Skipped, PyTorch
		if f.Legacy {
			a.format = PyTorchOld
		}
		return nil
	}
	if len(head) <= 8 || head[8] != '{' {
		return errors.New("neither safetensors nor a file of torch.save's")
	}
	f, err := safetensors.Read(a.r, size)
	if err != nil {
		return err
	}
	a.tensors, a.metadata, a.format = f.Tensors, f.Metadata, Safetensors
	return nil
}

// checkTotal bounds what all tensors together take, and what has to be read for them: those that share a storage could
// make gigabytes of a small file, or hours. Tied weights at most double it.
func (a *Archive) checkTotal(size int64) error {
	const most = 16
	total := int64(0)
	for _, t := range a.tensors { // each at most size, so the sum can't overflow before it is found too large
		if total += max(t.Bytes(), t.Reach()); total/most > size {
			return fmt.Errorf("tensors take more than %d times the file's %d bytes", most, size)
		}
	}
	return nil
}

// Close closes the file.
func (a *Archive) Close() error {
	if a.close == nil {
		return nil
	}
	return a.close()
}

// Path is the file's name, as given.
func (a *Archive) Path() string { return a.path }

// Format is Safetensors, PyTorch or PyTorchOld.
func (a *Archive) Format() string { return a.format }

// Wrapper is the key under which a .pth file holds the tensors, empty if there is none.
func (a *Archive) Wrapper() string { return a.wrapper }

// Skipped names what the pickle of a .pth file would have had Python call or make, beside its tensors and dictionaries,
// sorted: what a training script keeps beside a state dict. Nothing of it is run.
func (a *Archive) Skipped() []string { return a.skipped }

// Metadata is the free text of a safetensors file; other formats have none.
func (a *Archive) Metadata() map[string]string { return a.metadata }

// Tensors lists the tensors, sorted by name.
func (a *Archive) Tensors() []Info {
	list := make([]Info, len(a.tensors))
	for i, t := range a.tensors {
		list[i] = Info{Name: t.Name, DType: string(t.DType), Shape: append([]int{}, t.Shape...)}
	}
	return list
}

// Float32 reads a tensor's values, packed, last dimension fastest. F64 is rounded; F16 and BF16 are exact; other types
// are an error.
func (a *Archive) Float32(name string) ([]float32, error) {
	v, ok := a.find(name)
	if !ok {
		return nil, fmt.Errorf("%s: no tensor %q", a.path, name)
	}
	values, err := v.Float32(a.r)
	if err != nil {
		return nil, fmt.Errorf("%s: tensor %q: %w", a.path, name, err)
	}
	return values, nil
}

func (a *Archive) find(name string) (tensor.View, bool) {
	i := sort.Search(len(a.tensors), func(i int) bool { return a.tensors[i].Name >= name })
	if i == len(a.tensors) || a.tensors[i].Name != name {
		return tensor.View{}, false
	}
	return a.tensors[i], true
}
