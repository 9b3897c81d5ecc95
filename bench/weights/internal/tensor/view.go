// Package tensor says where the values of a stored tensor lie in a file, and reads them from there.
package tensor

import (
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
)

// MaxRank is the largest number of dimensions: twice what a convolution's weights have. It keeps a file of few bytes
// from describing many long shapes.
const MaxRank = 8

// LongestName bounds names, in bytes: several times the longest of any network. A list of tensors is as wide as the
// longest, for each of them.
const LongestName = 512

// most bounds elements and spans, so that their bytes can be counted in an int64.
const most = 1 << 58

// View is a tensor in a file. Only its place is held, the values are read when they are asked for.
type View struct {
	Name    string
	DType   DType
	Shape   []int
	Strides []int // steps between neighbours, in elements; nil means packed, last dimension fastest
	Offset  int64 // where the element [0, …, 0] begins in the file, in bytes
}

// Elements is the product of the dimensions; 1 for a scalar's empty shape. A negative dimension, too many of them and
// a product that no file could hold are errors.
func Elements(shape []int) (int64, error) {
	if len(shape) > MaxRank {
		return 0, fmt.Errorf("%d dimensions are more than %d", len(shape), MaxRank)
	}
	n := uint64(1)
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("negative dimension in shape %v", shape)
		}
		high, low := bits.Mul64(n, uint64(d))
		if high != 0 || low > most {
			return 0, fmt.Errorf("shape %v has too many elements", shape)
		}
		n = low
	}
	return int64(n), nil
}

// Span is the number of stored elements from a view's first to its last, both included; 0 for an empty view. The shape
// has been through Elements. Errors: not one stride per dimension, a negative stride, a span that no file could hold.
func Span(shape, strides []int) (int64, error) {
	if len(strides) != len(shape) {
		return 0, fmt.Errorf("%d strides for shape %v", len(strides), shape)
	}
	empty := false
	last := uint64(0)
	for i, d := range shape {
		if strides[i] < 0 {
			return 0, fmt.Errorf("negative stride in %v", strides)
		}
		if d == 0 {
			empty = true
			continue
		}
		high, step := bits.Mul64(uint64(d-1), uint64(strides[i]))
		if last += step; high != 0 || step > most || last > most {
			return 0, fmt.Errorf("strides %v lead too far", strides)
		}
	}
	if empty {
		return 0, nil
	}
	return int64(last) + 1, nil
}

// Packed reports whether strides describe the shape's values one after the other, last dimension fastest. Dimensions of
// size 1 take part in no step, their strides don't matter.
func Packed(shape, strides []int) bool {
	if slices.Contains(shape, 0) {
		return true
	}
	next := 1
	for i := len(shape) - 1; i >= 0; i-- {
		if shape[i] != 1 && strides[i] != next {
			return false
		}
		next *= shape[i]
	}
	return true
}

// Elements is the number of values.
func (v View) Elements() int64 {
	n, err := Elements(v.Shape)
	if err != nil {
		panic("tensor: view with an unchecked shape: " + err.Error())
	}
	return n
}

// Bytes is what the values take when packed.
func (v View) Bytes() int64 { return v.Elements() * int64(v.DType.Size()) }

// Reach is what has to be read for the values, in bytes: all from the first to the last.
func (v View) Reach() int64 {
	if v.Strides == nil {
		return v.Bytes()
	}
	span, err := Span(v.Shape, v.Strides)
	if err != nil {
		panic("tensor: view with unchecked strides: " + err.Error())
	}
	return span * int64(v.DType.Size())
}

// ErrNotReal is the reason why integers, booleans, 8-bit floats and complex numbers don't become float32.
var ErrNotReal = errors.New("is none of F64, F32, F16, BF16")

// Float32 reads the values, packed, last dimension fastest. Each is the nearest float32: exact but for F64.
func (v View) Float32(r io.ReaderAt) ([]float32, error) {
	if !v.DType.Real() {
		return nil, fmt.Errorf("dtype %s %w", v.DType, ErrNotReal)
	}
	values := make([]float32, v.Elements())
	rest, item := values, v.DType.Size()
	err := v.visit(r, func(packed []byte) error {
		n := len(packed) / item
		v.DType.decode(rest[:n], packed)
		rest = rest[n:]
		return nil
	})
	if err != nil {
		return nil, err
	}
	return values, nil
}

// CopyTo writes the values as they are stored, but packed.
func (v View) CopyTo(w io.Writer, r io.ReaderAt) error {
	return v.visit(r, func(packed []byte) error {
		_, err := w.Write(packed)
		return err
	})
}

// chunk is a multiple of every element's size.
const chunk = 1 << 16

// visit hands over the packed bytes in order, in pieces of whole elements.
func (v View) visit(r io.ReaderAt, do func(packed []byte) error) error {
	if v.Strides != nil {
		packed, err := v.gather(r)
		if err != nil {
			return err
		}
		return do(packed)
	}
	left := v.Bytes()
	buf := make([]byte, min(left, chunk))
	for at := v.Offset; left > 0; {
		piece := buf[:min(left, chunk)]
		if err := readFull(r, piece, at); err != nil {
			return err
		}
		if err := do(piece); err != nil {
			return err
		}
		at += int64(len(piece))
		left -= int64(len(piece))
	}
	return nil
}

// gather packs a strided view: it reads everything from the first to the last element, which its storage bounds, and
// walks over it in the order of the shape.
func (v View) gather(r io.ReaderAt) ([]byte, error) {
	n, item := v.Elements(), v.DType.Size()
	if n == 0 {
		return nil, nil
	}
	span, err := Span(v.Shape, v.Strides)
	if err != nil {
		return nil, err
	}
	stored := make([]byte, span*int64(item))
	if err := readFull(r, stored, v.Offset); err != nil {
		return nil, err
	}
	packed := make([]byte, 0, n*int64(item))
	index := make([]int, len(v.Shape))
	for at := 0; ; {
		packed = append(packed, stored[at*item:(at+1)*item]...)
		d := len(index) - 1
		for ; d >= 0; d-- {
			index[d]++
			at += v.Strides[d]
			if index[d] < v.Shape[d] {
				break
			}
			at -= index[d] * v.Strides[d]
			index[d] = 0
		}
		if d < 0 {
			return packed, nil
		}
	}
}

func readFull(r io.ReaderAt, p []byte, at int64) error {
	n, err := r.ReadAt(p, at)
	if n == len(p) {
		return nil
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("reading %d bytes at %d: %w", len(p), at, err)
}
