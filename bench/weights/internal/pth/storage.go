package pth

import (
	"fmt"
	"sort"

	"github.com/reidbench/reidbench/bench/weights/internal/pickle"
	"github.com/reidbench/reidbench/bench/weights/internal/tensor"
)

// storage is a run of elements that one or more tensors look at.
type storage struct {
	key      string
	dtype    tensor.DType
	elements int64
	offset   int64 // of the first byte in the file, -1 until it has been located
}

func (s *storage) bytes() int64 { return s.elements * int64(s.dtype.Size()) }

// part is what a persistent id stands for: a storage, or the piece of one that files from before PyTorch 0.4 call a
// view.
type part struct {
	*storage
	first, elements int64
}

func (part) String() string { return "storage" }

// stored is a tensor.
type stored struct {
	part
	first          int64 // element of the part
	shape, strides []int
}

func (*stored) String() string { return "tensor" }

func (t *stored) view(name string) tensor.View {
	v := tensor.View{
		Name: name, DType: t.dtype, Shape: t.shape,
		Offset: t.offset + (t.part.first+t.first)*int64(t.dtype.Size()),
	}
	if !tensor.Packed(t.shape, t.strides) {
		v.Strides = t.strides
	}
	return v
}

// newStored checks a tensor's place against its storage.
func newStored(p part, first int64, shape, strides []int) (*stored, error) {
	elements, err := tensor.Elements(shape)
	if err != nil {
		return nil, err
	}
	span, err := tensor.Span(shape, strides)
	if err != nil {
		return nil, err
	}
	if first < 0 || first > p.elements || span > p.elements-first {
		return nil, fmt.Errorf("tensor of shape %v with strides %v from element %d of storage %q, which has %d",
			shape, strides, first, p.key, p.elements)
	}
	if elements > p.elements {
		return nil, fmt.Errorf("tensor of shape %v repeats the %d elements of storage %q: %w",
			shape, p.elements, p.key, pickle.ErrRefused)
	}
	return &stored{part: p, first: first, shape: shape, strides: strides}, nil
}

// checkDisjoint makes sure that located storages lie within the file's size bytes and that no two overlap.
func checkDisjoint(storages map[string]*storage, size int64) error {
	sorted := make([]*storage, 0, len(storages))
	for _, s := range storages {
		sorted = append(sorted, s)
	}
	sort.Slice(sorted, func(i, j int) bool {
		a, b := sorted[i], sorted[j]
		if a.offset != b.offset {
			return a.offset < b.offset
		}
		if a.elements != b.elements {
			return a.elements < b.elements
		}
		return a.key < b.key
	})
	next := int64(0)
	for i, s := range sorted {
		if s.elements == 0 {
			continue
		}
		if s.offset < next {
			return fmt.Errorf("storages %q and %q overlap", sorted[i-1].key, s.key)
		}
		if s.offset > size || s.bytes() > size-s.offset {
			return fmt.Errorf("storage %q of %d bytes at %d in a file of %d", s.key, s.bytes(), s.offset, size)
		}
		next = s.offset + s.bytes()
	}
	return nil
}
