package pth

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/reidbench/reidbench/bench/weights/internal/pickle"
)

// maxDirectory bounds what may be read to list the records: some 100,000 of them.
const maxDirectory = 8 << 20

// readZip decodes <folder>/data.pkl and locates the storages, which are the records <folder>/data/<key>.
func readZip(r io.ReaderAt, size int64, h *host) (any, error) {
	limited := &limitedReaderAt{r: r, left: maxDirectory}
	archive, err := zip.NewReader(limited, size)
	if errors.Is(err, zip.ErrFormat) {
		return nil, fmt.Errorf("zip archive without a sound directory at its end: %w", io.ErrUnexpectedEOF)
	}
	if err != nil {
		return nil, fmt.Errorf("zip archive: %w", err)
	}
	limited.left = -1
	records := make(map[string]*zip.File, len(archive.File))
	folder := ""
	for _, f := range archive.File {
		if records[f.Name] != nil {
			return nil, fmt.Errorf("duplicate record %q", f.Name)
		}
		records[f.Name] = f
		if before, ok := strings.CutSuffix(f.Name, "/data.pkl"); ok && !strings.Contains(before, "/") {
			if folder != "" {
				return nil, fmt.Errorf("records %s/data.pkl and %s", folder, f.Name)
			}
			folder = before
		}
	}
	if folder == "" {
		return nil, errors.New("zip archive without data.pkl: not written by torch.save")
	}
	if err := checkByteOrder(r, size, records[folder+"/byteorder"]); err != nil {
		return nil, err
	}

	f := records[folder+"/data.pkl"]
	at, err := locate(f, size)
	if err != nil {
		return nil, err
	}
	n := int64(f.UncompressedSize64)
	if n > maxPickle {
		return nil, fmt.Errorf("record %q of %d bytes is larger than %d", f.Name, n, maxPickle)
	}
	root, err := pickle.NewDecoder(io.NewSectionReader(r, at, n), n).Decode(h)
	if err != nil {
		return nil, fmt.Errorf("record %q: %w", f.Name, err)
	}
	for key, s := range h.storages {
		f := records[folder+"/data/"+key]
		if f == nil {
			return nil, fmt.Errorf("storage %q has no record", key)
		}
		if s.offset, err = locate(f, size); err != nil {
			return nil, err
		}
		if f.UncompressedSize64 != uint64(s.bytes()) {
			return nil, fmt.Errorf("record %q has %d bytes, %d of %s need %d",
				f.Name, f.UncompressedSize64, s.elements, s.dtype, s.bytes())
		}
	}
	return root, checkDisjoint(h.storages, size)
}

// locate finds where a record's bytes begin. torch.save doesn't compress, and only so can tensors be read where they
// lie.
func locate(f *zip.File, size int64) (int64, error) {
	if f.Method != zip.Store || f.CompressedSize64 != f.UncompressedSize64 || f.Flags&1 != 0 {
		return 0, fmt.Errorf("record %q is compressed or encrypted: not written by torch.save", f.Name)
	}
	at, err := f.DataOffset()
	if err != nil {
		return 0, fmt.Errorf("record %q: %w", f.Name, err)
	}
	if at < 0 || at > size || f.UncompressedSize64 > uint64(size-at) {
		return 0, fmt.Errorf("record %q of %d bytes at %d in a file of %d", f.Name, f.UncompressedSize64, at, size)
	}
	return at, nil
}

// checkByteOrder refuses files of big-endian machines; the record is there since PyTorch 2.1.
func checkByteOrder(r io.ReaderAt, size int64, f *zip.File) error {
	if f == nil {
		return nil
	}
	at, err := locate(f, size)
	if err != nil {
		return err
	}
	const little = "little"
	p := make([]byte, len(little))
	if f.UncompressedSize64 != uint64(len(little)) {
		return fmt.Errorf("record %q: not little endian: %w", f.Name, pickle.ErrRefused)
	}
	if n, err := r.ReadAt(p, at); n < len(p) {
		return fmt.Errorf("record %q: %w", f.Name, err)
	}
	if string(p) != little {
		return fmt.Errorf("record %q: not little endian: %w", f.Name, pickle.ErrRefused)
	}
	return nil
}

// limitedReaderAt fails after left bytes have been read, unless left is negative: archive/zip reads a directory of any
// length, and keeps all of it.
type limitedReaderAt struct {
	r    io.ReaderAt
	left int64
}

func (l *limitedReaderAt) ReadAt(p []byte, at int64) (int, error) {
	if l.left >= 0 {
		if int64(len(p)) > l.left {
			return 0, fmt.Errorf("directory of more than %d bytes", maxDirectory)
		}
		l.left -= int64(len(p))
	}
	return l.r.ReadAt(p, at)
}
