// Package pth reads what torch.save writes, without running anything: a pickle that describes tensors, and the storages
// with their values, either as records of a zip archive (since PyTorch 1.6) or one after the other (before; torch.load
// calls that the legacy format). The description of both is PyTorch's torch/serialization.py.
package pth

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/reidbench/reidbench/bench/weights/internal/pickle"
	"github.com/reidbench/reidbench/bench/weights/internal/tensor"
)

// maxPickle bounds the pickles of one file; a state dict of 3,000 tensors has 0.5 MB.
const maxPickle = 16 << 20

// File is a state dict.
type File struct {
	Tensors []tensor.View // in the file's order
	Wrapper string        // the keys under which the state dict was found, joined by dots; empty at the top
	Legacy  bool          // written in the format before PyTorch 1.6
	Skipped []string      // names of what Python would have called or made beside the state dict, sorted
}

// IsZip reports whether a file that begins so, with 14 bytes at least, is in the format since PyTorch 1.6.
func IsZip(head []byte) bool { return bytes.HasPrefix(head, []byte("PK\x03\x04")) }

// IsLegacy reports whether a file that begins so, with 14 bytes at least, is in the format before PyTorch 1.6.
func IsLegacy(head []byte) bool { return bytes.HasPrefix(head, legacyMagic) }

// Read finds the state dict in a file of that size, and where its tensors' values lie. Each lies within its storage,
// each storage within the file, and no two storages overlap. Tensors may share a storage and be strided, but none has
// more elements than its storage. Values aren't read.
func Read(r io.ReaderAt, size int64) (*File, error) {
	head := make([]byte, min(size, int64(len(legacyMagic))))
	if _, err := r.ReadAt(head, 0); err != nil && err != io.EOF {
		return nil, err
	}
	h := newHost()
	var root any
	var err error
	legacy := false
	switch {
	case IsZip(head):
		root, err = readZip(r, size, h)
	case IsLegacy(head):
		legacy, h.inOrder = true, true
		root, err = readLegacy(r, size, h)
	default:
		err = errors.New("neither a zip archive nor torch.save's legacy format")
	}
	if err != nil {
		return nil, err
	}
	state, wrapper, err := stateDict(root)
	if err != nil {
		return nil, err
	}
	f := &File{Wrapper: wrapper, Legacy: legacy, Skipped: slices.Sorted(maps.Keys(h.skipped))}
	if odd := state.OddKey(); odd != "" {
		return nil, fmt.Errorf("state dict with a key that is a %s: %w", odd, pickle.ErrRefused)
	}
	for _, key := range state.Keys() {
		v, _ := state.Get(key)
		if isInert(v) {
			return nil, fmt.Errorf("state dict with a %s under the key %q: %w", v, fmt.Sprint(key), pickle.ErrRefused)
		}
		if !isTensor(v) {
			continue // a number, None: nothing that a network loads
		}
		name, ok := key.(string)
		if !ok {
			return nil, fmt.Errorf("tensor under the key %v, which is a %s", key, pickle.TypeName(key))
		}
		if len(name) > tensor.LongestName {
			return nil, fmt.Errorf("name of %d bytes", len(name))
		}
		f.Tensors = append(f.Tensors, v.(*stored).view(name))
	}
	return f, nil
}
