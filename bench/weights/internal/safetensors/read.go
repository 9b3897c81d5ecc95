// Package safetensors reads and writes the safetensors format (https://github.com/huggingface/safetensors, "Format"):
// eight bytes with the header's length N, little endian; N bytes of JSON that give each tensor's dtype, shape and
// place; then the values, row-major and little endian, without gaps.
package safetensors

import (
	"encoding/binary"
	"fmt"
	"io"
	"sort"
	"unicode/utf8"

	"github.com/reidbench/reidbench/bench/weights/internal/tensor"
)

// maxHeader bounds the header. The format allows 100 MB; a backbone of 1,500 tensors has 0.2 MB.
const maxHeader = 16 << 20

// File is what the header says.
type File struct {
	Tensors  []tensor.View     // in the order of their values
	Metadata map[string]string // free text
}

// Read parses and checks the header of a file of that size. Every tensor's values lie within the file, no two overlap
// and no byte is left over. Values aren't read.
func Read(r io.ReaderAt, size int64) (*File, error) {
	var prefix [8]byte
	if size < int64(len(prefix)) {
		return nil, fmt.Errorf("%d bytes are too few for a safetensors file", size)
	}
	if _, err := r.ReadAt(prefix[:], 0); err != nil {
		return nil, fmt.Errorf("reading the header's length: %w", err)
	}
	n := binary.LittleEndian.Uint64(prefix[:])
	if n > uint64(size-8) {
		return nil, fmt.Errorf("header of %d bytes in a file of %d: %w", n, size, io.ErrUnexpectedEOF)
	}
	if n > maxHeader {
		return nil, fmt.Errorf("header of %d bytes is longer than %d", n, maxHeader)
	}
	text := make([]byte, n)
	if n, err := r.ReadAt(text, 8); n < len(text) {
		return nil, fmt.Errorf("reading the header: %w", err)
	}
	if !utf8.Valid(text) {
		return nil, fmt.Errorf("header is not UTF-8")
	}
	h, err := parseHeader(text)
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	start := 8 + int64(n)
	if err := h.place(start, size-start); err != nil {
		return nil, err
	}
	f := &File{Metadata: h.metadata}
	for _, e := range h.entries {
		f.Tensors = append(f.Tensors, e.View)
	}
	return f, nil
}

// place sorts the entries by their place, checks that they fill the data's size bytes exactly, each with as many as its
// shape and dtype take, and turns their places into offsets in the file.
func (h *header) place(start, size int64) error {
	sort.Slice(h.entries, func(i, j int) bool {
		a, b := h.entries[i], h.entries[j]
		if a.begin != b.begin {
			return a.begin < b.begin
		}
		if a.end != b.end {
			return a.end < b.end
		}
		return a.Name < b.Name
	})
	next := int64(0)
	for i := range h.entries {
		e := &h.entries[i]
		if e.begin != next || e.end < e.begin || e.end > size {
			err := fmt.Errorf("tensor %q: data_offsets [%d, %d] where [%d, at most %d] should be",
				e.Name, e.begin, e.end, next, size)
			if e.begin == next && e.end > size {
				err = fmt.Errorf("%w: %w", err, io.ErrUnexpectedEOF)
			}
			return err
		}
		elements, err := tensor.Elements(e.Shape)
		if err != nil {
			return fmt.Errorf("tensor %q: %w", e.Name, err)
		}
		item := int64(e.DType.Size())
		if taken := e.end - e.begin; taken%item != 0 || taken/item != elements {
			return fmt.Errorf("tensor %q: %s %v doesn't take %d bytes", e.Name, e.DType, e.Shape, taken)
		}
		e.Offset = start + e.begin
		next = e.end
	}
	if next != size {
		return fmt.Errorf("tensors take %d bytes, the file has %d for them", next, size)
	}
	return nil
}
