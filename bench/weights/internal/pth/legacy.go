package pth

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/reidbench/reidbench/bench/weights/internal/pickle"
)

// legacyMagic is the first pickle of a legacy file: protocol 2, the number 0x1950a86a20f9469cfc6c, STOP.
var legacyMagic = []byte("\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.")

// readLegacy decodes the pickles one after the other: magic number, protocol version, facts about the machine, the
// object, the storages' keys. The storages follow in the order of their keys, each as its number of elements (8 bytes)
// and the elements.
func readLegacy(r io.ReaderAt, size int64, h *host) (any, error) {
	d := pickle.NewDecoder(io.NewSectionReader(r, 0, size), min(size, maxPickle))
	if _, err := d.Decode(pickle.Plain{}); err != nil { // the magic number, which Read has seen
		return nil, err
	}
	version, err := d.Decode(pickle.Plain{})
	if err != nil {
		return nil, err
	}
	if version != int64(1001) {
		return nil, fmt.Errorf("legacy format's version is %v instead of 1001", version)
	}
	// The facts say the writer's byte order, but storages are little endian whatever it was.
	if _, err := d.Decode(pickle.Plain{}); err != nil {
		return nil, err
	}
	root, err := d.Decode(h)
	if err != nil {
		return nil, err
	}
	keys, err := d.Decode(pickle.Plain{})
	if err != nil {
		return nil, err
	}
	list, ok := keys.(*pickle.List)
	if !ok {
		return nil, errors.New("storages' keys are not a list")
	}
	at := d.Consumed()
	for _, key := range list.Items {
		name, _ := key.(string)
		s := h.storages[name]
		if s == nil || s.offset >= 0 {
			return nil, fmt.Errorf("storage %.80q is listed but unused, or listed twice", fmt.Sprint(key))
		}
		if at, err = s.place(r, at, size); err != nil {
			return nil, fmt.Errorf("storage %q: %w", name, err)
		}
	}
	if len(list.Items) != len(h.storages) {
		return nil, fmt.Errorf("%d of %d storages are not in the file",
			len(h.storages)-len(list.Items), len(h.storages))
	}
	if at != size {
		return nil, fmt.Errorf("%d bytes are left over after the last storage", size-at)
	}
	return root, nil
}

// place puts the storage at its length's place and returns where the next one begins.
func (s *storage) place(r io.ReaderAt, at, size int64) (int64, error) {
	var length [8]byte
	if size-at < int64(len(length)) {
		return 0, io.ErrUnexpectedEOF
	}
	if n, err := r.ReadAt(length[:], at); n < len(length) {
		return 0, err
	}
	at += int64(len(length))
	if n := binary.LittleEndian.Uint64(length[:]); n != uint64(s.elements) {
		return 0, fmt.Errorf("%d elements in the file, %d in its description", n, s.elements)
	}
	if s.bytes() > size-at {
		return 0, fmt.Errorf("%d bytes at %d in a file of %d: %w", s.bytes(), at, size, io.ErrUnexpectedEOF)
	}
	s.offset = at
	return at + s.bytes(), nil
}
