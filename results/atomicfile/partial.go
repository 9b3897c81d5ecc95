package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/reidbench/reidbench/results/regular"
)

// A Partial is a file in the making that outlives an interruption: it grows under a name of its own in the final one's
// folder, and takes the final name when it is whole.
type Partial struct {
	path string // the final one
	f    *os.File
	size int64
}

// PartialPath is the name that the file at path has in the making.
func PartialPath(path string) string {
	dir, base := filepath.Split(path)
	return filepath.Join(dir, "."+base+".unfinished")
}

// OpenPartial opens what there is of the file at path, or begins it.
func OpenPartial(path string) (*Partial, error) {
	name := PartialPath(path)
	if err := regular.Check(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	return &Partial{path, f, size}, nil
}

// Size is how many bytes there are so far.
func (p *Partial) Size() int64 { return p.size }

// Write appends.
func (p *Partial) Write(data []byte) (int, error) {
	n, err := p.f.Write(data)
	p.size += int64(n)
	if err != nil {
		err = fmt.Errorf("write %s: %w", p.path, err)
	}
	return n, err
}

// Restart throws away what there is.
func (p *Partial) Restart() error {
	if err := p.f.Truncate(0); err != nil {
		return fmt.Errorf("write %s: %w", p.path, err)
	}
	_, err := p.f.Seek(0, io.SeekStart)
	p.size = 0
	return err
}

// Close leaves what there is for another time.
func (p *Partial) Close() error { return p.f.Close() }

// Finish gives the file its final name, once it has reached the disk, and closes it. What bore that name is replaced.
func (p *Partial) Finish() error {
	err := p.f.Sync()
	if closed := p.f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(p.f.Name(), p.path)
	}
	if err == nil {
		err = SyncFolder(filepath.Dir(p.path))
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", p.path, err)
	}
	return nil
}

// Discard closes the file and removes it.
func (p *Partial) Discard() error {
	p.f.Close() // what it may say is of no matter then
	return os.Remove(p.f.Name())
}
