package pth

import (
	"errors"
	"fmt"
	"slices"

	"github.com/reidbench/reidbench/bench/weights/internal/pickle"
	"github.com/reidbench/reidbench/bench/weights/internal/tensor"
)

// host knows the names that a pickled state dict needs, and what calling them means. All others are inert.
type host struct {
	storages map[string]*storage
	entries  int             // of ordered dictionaries made from lists
	skipped  map[string]bool // the names that are inert
	inOrder  bool            // storages follow each other: the place of one tells that of the next
}

func newHost() *host {
	return &host{storages: make(map[string]*storage), skipped: make(map[string]bool)}
}

// function is a name that may be called.
type function struct {
	name string
	call func(h *host, args pickle.Tuple) (any, error)
}

func (f function) String() string { return f.name }

// class is a name that is only referred to.
type class string

func (c class) String() string { return string(c) }

// storageType is a name such as torch.FloatStorage.
type storageType struct{ dtype tensor.DType }

func (s storageType) String() string { return string(s.dtype) + " storage type" }

var storageTypes = map[string]tensor.DType{
	"DoubleStorage": tensor.Float64, "FloatStorage": tensor.Float32, "HalfStorage": tensor.Float16,
	"BFloat16Storage": tensor.BFloat16, "LongStorage": tensor.Int64, "IntStorage": tensor.Int32,
	"ShortStorage": tensor.Int16, "CharStorage": tensor.Int8, "ByteStorage": tensor.Uint8, "BoolStorage": tensor.Bool,
	"ComplexFloatStorage": tensor.Complex64,
}

var globals = knownNames()

func knownNames() map[string]any {
	names := map[string]any{
		"torch.Tensor": class("torch.Tensor"),
	}
	for _, f := range []function{
		{"collections.OrderedDict", (*host).orderedDict},
		{"torch._utils._rebuild_tensor", (*host).rebuildTensor},
		{"torch._utils._rebuild_tensor_v2", (*host).rebuildTensor},
		{"torch._utils._rebuild_parameter", (*host).rebuildParameter},
		{"torch._utils._rebuild_parameter_with_state", (*host).rebuildParameter},
		{"torch.nn.parameter.Parameter", (*host).newParameter},
		{"torch._tensor._rebuild_from_type_v2", (*host).rebuildFromType},
	} {
		names[f.name] = f
	}
	for name, dtype := range storageTypes {
		names["torch."+name] = storageType{dtype}
		names["torch.cuda."+name] = storageType{dtype}
	}
	return names
}

func (h *host) Global(module, name string) (any, error) {
	full := module + "." + name
	if v, ok := globals[full]; ok {
		return v, nil
	}
	return h.skip(full)
}

// skip takes a name for inert.
func (h *host) skip(name string) (any, error) {
	const most = 1000 // a checkpoint has some dozens
	if h.skipped[name] = true; len(h.skipped) > most {
		return nil, fmt.Errorf("more than %d names: %w", most, pickle.ErrRefused)
	}
	return pickle.Inert(name), nil
}

func (h *host) Call(callable any, args pickle.Tuple) (any, error) {
	if class, ok := callable.(class); ok {
		return h.skip(string(class))
	}
	f, ok := callable.(function)
	if !ok {
		return nil, fmt.Errorf("calling %s: %w", pickle.TypeName(callable), pickle.ErrRefused)
	}
	if slices.ContainsFunc(args[:min(len(args), 2)], isInert) { // a part of a storage, or a class, that is not known
		return pickle.Inert(f.name), nil
	}
	v, err := f.call(h, args)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.name, err)
	}
	return v, nil
}

// orderedDict makes an empty dictionary, or as Python 2 pickles it, one from a list of pairs.
func (h *host) orderedDict(args pickle.Tuple) (any, error) {
	d := new(pickle.Dict)
	if len(args) == 0 {
		return d, nil
	}
	list, ok := args[0].(*pickle.List)
	if !ok || len(args) > 1 {
		return nil, errArguments
	}
	const most = 1 << 16 // a pickle can refer to one list many times
	if h.entries += len(list.Items); h.entries > most {
		return nil, fmt.Errorf("more than %d entries from lists", most)
	}
	for _, item := range list.Items {
		var pair []any
		switch item := item.(type) {
		case pickle.Tuple:
			pair = item
		case *pickle.List:
			pair = item.Items
		}
		if len(pair) != 2 {
			return nil, errArguments
		}
		if err := d.Set(pair[0], pair[1]); err != nil {
			return nil, err
		}
	}
	return d, nil
}

var errArguments = errors.New("unexpected arguments")

// rebuildTensor takes (storage, first element, shape, strides, …); what may follow (requires_grad, hooks, metadata)
// isn't about values.
func (h *host) rebuildTensor(args pickle.Tuple) (any, error) {
	if len(args) < 4 || len(args) > 7 {
		return nil, errArguments
	}
	p, ok := args[0].(part)
	first, okFirst := args[1].(int64)
	shape, okShape := integers(args[2])
	strides, okStrides := integers(args[3])
	if !ok || !okFirst || !okShape || !okStrides {
		return nil, errArguments
	}
	return newStored(p, first, shape, strides)
}

func isInert(v any) bool {
	_, ok := v.(pickle.Inert)
	return ok
}

// rebuildParameter takes (tensor, requires_grad, hooks), and of a parameter with attributes these.
func (h *host) rebuildParameter(args pickle.Tuple) (any, error) {
	if len(args) < 3 || len(args) > 4 || !isTensor(args[0]) {
		return nil, errArguments
	}
	return args[0], nil
}

// newParameter is how PyTorch before 0.4 wrote a parameter: the class is called with a tensor or with nothing, and
// Build follows.
func (h *host) newParameter(args pickle.Tuple) (any, error) {
	if len(args) == 0 {
		return new(stored), nil
	}
	if len(args) > 2 || !isTensor(args[0]) {
		return nil, errArguments
	}
	t := *args[0].(*stored)
	return &t, nil
}

// Build completes such a parameter. Its state is (requires_grad, volatile, hooks), or (tensor, gradient, hooks,
// requires_grad, volatile) as Tensor.__setstate__ in PyTorch's torch/_tensor.py still reads it.
func (h *host) Build(object, state any) error {
	t, ok := object.(*stored)
	fields, okState := state.(pickle.Tuple)
	if !ok || !okState {
		return fmt.Errorf("setting the state of a %s: %w", pickle.TypeName(object), pickle.ErrRefused)
	}
	if len(fields) == 5 && isTensor(fields[0]) {
		*t = *fields[0].(*stored)
	} else if len(fields) != 3 || !isTensor(t) {
		return errors.New("parameter with an unexpected state")
	}
	return nil
}

// rebuildFromType takes (function, class, its arguments, attributes), written for a tensor that had attributes set.
func (h *host) rebuildFromType(args pickle.Tuple) (any, error) {
	if len(args) != 4 {
		return nil, errArguments
	}
	f, ok := args[0].(function)
	inner, okInner := args[2].(pickle.Tuple)
	if !ok || !okInner || f.name == "torch._tensor._rebuild_from_type_v2" {
		return nil, errArguments
	}
	return h.Call(f, inner)
}

// Persistent takes ("storage", type, key, device, elements) and in legacy files a view of it: None or (key, first
// element, elements); and there the class of a module, as ("module", class, its source's file, its source). A storage
// of another type is inert if others are found without it.
func (h *host) Persistent(id any) (any, error) {
	fields, ok := id.(pickle.Tuple)
	if ok && len(fields) == 4 && fields[0] == "module" && isInert(fields[1]) {
		return fields[1], nil
	}
	if !ok || len(fields) < 5 || len(fields) > 6 || fields[0] != "storage" {
		return nil, fmt.Errorf("persistent id is not that of a storage: %w", pickle.ErrRefused)
	}
	if unknown, ok := fields[1].(pickle.Inert); ok && !h.inOrder {
		return unknown, nil
	} else if ok {
		return nil, fmt.Errorf("storage of type %s: %w", unknown, pickle.ErrRefused)
	}
	kind, ok := fields[1].(storageType)
	key, okKey := fields[2].(string)
	elements, okElements := fields[4].(int64)
	if !ok || !okKey || !okElements || elements < 0 || elements > 1<<58 {
		return nil, errors.New("storage with unexpected fields")
	}
	s := h.storages[key]
	if s == nil {
		s = &storage{key: key, dtype: kind.dtype, elements: elements, offset: -1}
		h.storages[key] = s
	}
	if s.dtype != kind.dtype || s.elements != elements {
		return nil, fmt.Errorf("storage %q is %d of %s here and %d of %s there",
			key, elements, kind.dtype, s.elements, s.dtype)
	}
	if len(fields) < 6 || fields[5] == nil {
		return part{storage: s, elements: elements}, nil
	}
	view, ok := fields[5].(pickle.Tuple)
	if !ok || len(view) != 3 {
		return nil, errors.New("storage with an unexpected view")
	}
	first, ok := view[1].(int64)
	count, okCount := view[2].(int64)
	if !ok || !okCount || first < 0 || count < 0 || first > elements || count > elements-first {
		return nil, fmt.Errorf("view beyond storage %q", key)
	}
	return part{storage: s, first: first, elements: count}, nil
}

func integers(v any) ([]int, bool) {
	t, ok := v.(pickle.Tuple)
	if !ok || len(t) > tensor.MaxRank {
		return nil, false
	}
	list := make([]int, len(t))
	for i, item := range t {
		n, ok := item.(int64)
		if !ok || int64(int(n)) != n {
			return nil, false
		}
		list[i] = int(n)
	}
	return list, true
}
