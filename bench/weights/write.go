package weights

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/reidbench/reidbench/bench/weights/internal/safetensors"
	"github.com/reidbench/reidbench/bench/weights/internal/tensor"
)

// Tensor is a tensor to be written: Data is packed, last dimension fastest.
type Tensor struct {
	Name  string
	Shape []int
	Data  []float32
	Fetch func() []float32 // makes Data when its turn comes, so that only one tensor at a time is in memory; may be nil
}

// WriteSafetensors writes the tensors as F32, sorted by name. Same tensors and metadata, same bytes. Errors: a name
// that comes twice or is reserved (__metadata__), data of another length than the shape says, and w's.
func WriteSafetensors(w io.Writer, tensors []Tensor, metadata map[string]string) error {
	sources := make([]safetensors.Source, len(tensors))
	for i, t := range tensors {
		if n, err := tensor.Elements(t.Shape); err != nil {
			return fmt.Errorf("tensor %q: %w", t.Name, err)
		} else if t.Fetch == nil && n != int64(len(t.Data)) {
			return fmt.Errorf("tensor %q: %d values for shape %v", t.Name, len(t.Data), t.Shape)
		}
		data := t.Fetch
		if data == nil {
			data = func() []float32 { return t.Data }
		}
		sources[i] = safetensors.Source{
			Name: t.Name, DType: tensor.Float32, Shape: t.Shape,
			CopyTo: func(w io.Writer) error { return writeFloat32(w, data()) },
		}
	}
	return safetensors.Write(w, sources, metadata)
}

func writeFloat32(w io.Writer, values []float32) error {
	const chunk = 1 << 14
	buf := make([]byte, 0, 4*min(len(values), chunk))
	for len(values) > 0 {
		n := min(len(values), chunk)
		buf = buf[:0]
		for _, v := range values[:n] {
			buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
		}
		if _, err := w.Write(buf); err != nil {
			return err
		}
		values = values[n:]
	}
	return nil
}

// WriteSafetensors writes every tensor of the archive with its own dtype, tensor by tensor. The largest element types
// come first, so that all are aligned, then names decide. The metadata are the archive's.
func (a *Archive) WriteSafetensors(w io.Writer) error {
	sources := make([]safetensors.Source, len(a.tensors))
	for i, t := range a.tensors {
		sources[i] = safetensors.Source{
			Name: t.Name, DType: t.DType, Shape: t.Shape,
			CopyTo: func(w io.Writer) error { return t.CopyTo(w, a.r) },
		}
	}
	if err := safetensors.Write(w, sources, a.metadata); err != nil {
		return fmt.Errorf("%s as safetensors: %w", a.path, err)
	}
	return nil
}
