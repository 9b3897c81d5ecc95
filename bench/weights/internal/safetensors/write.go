package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"sort"

	"github.com/reidbench/reidbench/bench/weights/internal/tensor"
)

// Source is a tensor to be written.
type Source struct {
	Name   string
	DType  tensor.DType
	Shape  []int
	CopyTo func(w io.Writer) error // writes the packed values, little endian
}

// Write writes a whole file. Tensors are sorted by element size, largest first, then by name, so that each begins at a
// multiple of its element's size; the header is filled up with spaces to a multiple of 8 bytes. Same tensors and
// metadata, same bytes. Errors: a name that comes twice or is reserved, an unknown dtype, a shape that isn't one, a
// source that writes another number of bytes than its shape takes.
func Write(w io.Writer, tensors []Source, metadata map[string]string) error {
	tensors = append([]Source(nil), tensors...)
	sort.SliceStable(tensors, func(i, j int) bool {
		a, b := tensors[i], tensors[j]
		if a.DType.Size() != b.DType.Size() {
			return a.DType.Size() > b.DType.Size()
		}
		return a.Name < b.Name
	})
	text, ends, err := formatHeader(tensors, metadata)
	if err != nil {
		return err
	}
	if err := binary.Write(w, binary.LittleEndian, uint64(len(text))); err != nil {
		return fmt.Errorf("writing the header: %w", err)
	}
	if _, err := w.Write(text); err != nil {
		return fmt.Errorf("writing the header: %w", err)
	}
	counted := &counter{w: w}
	for i, t := range tensors {
		if err := t.CopyTo(counted); err != nil {
			return fmt.Errorf("writing tensor %q: %w", t.Name, err)
		}
		if counted.n != ends[i] {
			return fmt.Errorf("writing tensor %q: values end at byte %d instead of %d", t.Name, counted.n, ends[i])
		}
	}
	return nil
}

// formatHeader returns the padded header and where each tensor's values end.
func formatHeader(tensors []Source, metadata map[string]string) (text []byte, ends []int64, err error) {
	var b bytes.Buffer
	b.WriteByte('{')
	member := func(key string, value any) error {
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		k, err := json.Marshal(key)
		if err != nil {
			return err
		}
		v, err := json.Marshal(value)
		if err != nil {
			return err
		}
		b.Write(k)
		b.WriteByte(':')
		b.Write(v)
		return nil
	}
	if len(metadata) > 0 {
		if err := member("__metadata__", metadata); err != nil {
			return nil, nil, err
		}
	}
	seen := map[string]bool{"__metadata__": true}
	at := int64(0)
	for _, t := range tensors {
		if seen[t.Name] {
			return nil, nil, fmt.Errorf("tensor name %q is taken", t.Name)
		}
		seen[t.Name] = true
		elements, err := tensor.Elements(t.Shape)
		if err != nil {
			return nil, nil, fmt.Errorf("tensor %q: %w", t.Name, err)
		}
		if t.DType.Size() == 0 {
			return nil, nil, fmt.Errorf("tensor %q: unknown dtype %q", t.Name, t.DType)
		}
		end := at + elements*int64(t.DType.Size())
		if err := member(t.Name, struct {
			DType  tensor.DType `json:"dtype"`
			Shape  []int        `json:"shape"`
			Places [2]int64     `json:"data_offsets"`
		}{t.DType, append([]int{}, t.Shape...), [2]int64{at, end}}); err != nil {
			return nil, nil, fmt.Errorf("tensor %q: %w", t.Name, err)
		}
		at = end
		ends = append(ends, end)
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	return b.Bytes(), ends, nil
}

// counter counts what goes through.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
