package market1501

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/reidbench/reidbench/results/grammar"
)

// LoadConfig says how a split is decoded.
type LoadConfig struct {
	Height, Width int                   // pixels after resizing
	Workers       int                   // images decoded at once; 0: one per CPU
	Progress      func(done, total int) // called after every image, one call at a time; may be nil
}

// BrokenImage is a file whose content cannot be decoded.
type BrokenImage struct {
	Path string // relative to the dataset's folder
	Err  error  // wraps ErrImage
}

// Images is a decoded split: bytes [N, Height, Width, 3] in RGB, resized as
// Pillow's bilinear filter does it. It is safe for concurrent reading.
type Images struct {
	Height, Width int
	Folder        string        // of the split; empty where the pixels came from memory
	Broken        []BrokenImage // files that were left out, sorted by path

	entries []Entry
	pix     []byte
}

// NewImages makes Images of pixels that are already in memory: pix is
// [len(entries), height, width, 3].
func NewImages(height, width int, entries []Entry, pix []byte) (*Images, error) {
	if height < 1 || width < 1 || len(pix) != len(entries)*height*width*3 {
		return nil, fmt.Errorf("new images: %d bytes are not %d images of %d×%d×3",
			len(pix), len(entries), height, width)
	}
	return &Images{Height: height, Width: width, entries: entries, pix: pix}, nil
}

// Load decodes the whole split into memory (Height·Width·3 bytes an image: 98 kB
// at 256×128). A file whose content cannot be decoded is left out and listed in
// Broken; that is an error only if not one image of a whole split is left. A file
// that the system does not give is always an error, which wraps [ErrNotGiven]:
// tomorrow it may be there.
func (s *Split) Load(ctx context.Context, config LoadConfig) (*Images, error) {
	if config.Height < 1 || config.Width < 1 {
		return nil, fmt.Errorf("load %s: images of %d×%d pixels", s.Folder, config.Height, config.Width)
	}
	size := config.Height * config.Width * 3
	images := &Images{
		Height:  config.Height,
		Width:   config.Width,
		Folder:  s.Folder,
		entries: slices.Clone(s.Entries),
		pix:     make([]byte, len(s.Entries)*size),
	}
	workers := workerCount(config.Workers)
	resizers := make([]*resizer, workers)
	failures, err := s.eachImage(ctx, workers, config.Progress, func(worker, i int, img bitmap) {
		if r := resizers[worker]; r == nil || r.inH != img.Height || r.inW != img.Width {
			resizers[worker] = newResizer(img.Height, img.Width, config.Height, config.Width)
		}
		resizers[worker].resize(images.pix[i*size:][:size], img.Pix)
	})
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", s.Folder, err)
	}
	images.leaveOut(failures)
	seen := DecodedSplit{Folder: s.Folder, Used: images.Len(), LeftOut: images.Broken}
	if err := seen.Err(); err != nil && !s.part {
		return nil, err
	}
	return images, nil
}

// eachImage decodes every entry, and hands it to visit with the number of the worker that did.
func (s *Split) eachImage(ctx context.Context, workers int, progress func(done, total int),
	visit func(worker, i int, img bitmap)) (failures []error, err error) {
	return s.eachFile(ctx, workers, progress, func(ctx context.Context, worker, i int, file string) error {
		img, err := decodeFile(ctx, file)
		if err == nil {
			visit(worker, i, img)
		}
		return err
	})
}

// eachFile calls do for the file of every entry, several at once, with the number of the worker. It returns the
// failure of each entry whose content has one, and stops at a file that cannot be read.
func (s *Split) eachFile(ctx context.Context, workers int, progress func(done, total int),
	do func(ctx context.Context, worker, i int, file string) error) (failures []error, err error) {
	failures = make([]error, len(s.Entries))
	count := counter{total: len(s.Entries), tell: progress}
	err = untilError(ctx, workerCount(workers), len(s.Entries), func(ctx context.Context, worker, i int) error {
		if err := do(ctx, worker, i, s.file(s.Entries[i].Path)); errors.Is(err, ErrImage) {
			failures[i] = err
		} else if err != nil {
			return err
		}
		count.add()
		return nil
	})
	return failures, err
}

// leaveOut drops the images that have a failure and closes the gaps.
func (m *Images) leaveOut(failures []error) {
	size := m.Height * m.Width * 3
	kept := 0
	for i, failure := range failures {
		if failure != nil {
			m.Broken = append(m.Broken, BrokenImage{Path: m.entries[i].Path, Err: failure})
			continue
		}
		if kept != i {
			m.entries[kept] = m.entries[i]
			copy(m.pix[kept*size:][:size], m.pix[i*size:][:size])
		}
		kept++
	}
	m.entries, m.pix = m.entries[:kept], m.pix[:kept*size]
}

// Len is the number of images.
func (m *Images) Len() int { return len(m.entries) }

// Pixels is image i, bytes [Height, Width, 3] in RGB. It is not a copy.
func (m *Images) Pixels(i int) []byte {
	size := m.Height * m.Width * 3
	return m.pix[i*size : (i+1)*size : (i+1)*size]
}

// Label is the class of image i, -1 outside the train split.
func (m *Images) Label(i int) int32 { return m.entries[i].Label }

// PID is the identity of image i.
func (m *Images) PID(i int) int32 { return m.entries[i].PID }

// CamID is the camera of image i, from 1.
func (m *Images) CamID(i int) int32 { return m.entries[i].CamID }

// Name is the path of image i relative to the dataset's folder.
func (m *Images) Name(i int) string { return m.entries[i].Path }

// Warnings has one sentence if images were left out because they are broken.
func (m *Images) Warnings() []string {
	if len(m.Broken) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s left out: %s", grammar.Count(len(m.Broken),
		"image cannot be decoded and is", "images cannot be decoded and are"), abridged(m.Broken))}
}

func (b BrokenImage) String() string { return fmt.Sprintf("%s (%v)", b.Path, b.Err) }
