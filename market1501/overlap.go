package market1501

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Overlap names the images of query and gallery whose files are, byte by byte,
// training images. How well a model finds those again says little about people it
// has never seen.
type Overlap struct {
	Query, Gallery []string // paths in the dataset
}

// Len is the number of images.
func (o Overlap) Len() int { return len(o.Query) + len(o.Gallery) }

// Warnings has one sentence if there are such images.
func (o Overlap) Warnings() []string {
	if o.Len() == 0 {
		return nil
	}
	var parts []string
	for _, part := range []struct {
		n    int
		what string
	}{{len(o.Query), "of the queries"}, {len(o.Gallery), "of the gallery"}} {
		switch part.n {
		case 0:
		case 1:
			parts = append(parts, "1 image "+part.what)
		default:
			parts = append(parts, fmt.Sprintf("%d images %s", part.n, part.what))
		}
	}
	which := "is a training image"
	if o.Len() > 1 {
		which = "are training images"
	}
	return []string{fmt.Sprintf("%s %s as well, which flatters: %s", strings.Join(parts, " and "), which,
		abridged(slices.Concat(o.Query, o.Gallery)))}
}

// Overlap reads every file of the dataset, workers at once (0: one per CPU).
func (d *Dataset) Overlap(ctx context.Context, workers int) (overlap Overlap, err error) {
	trained := map[fileDigest]bool{}
	digests, err := d.Train.digests(ctx, workers)
	if err != nil {
		return Overlap{}, err
	}
	for _, digest := range digests {
		trained[digest] = true
	}
	if overlap.Query, err = d.Query.among(ctx, workers, trained); err != nil {
		return Overlap{}, err
	}
	overlap.Gallery, err = d.Gallery.among(ctx, workers, trained)
	return overlap, err
}

// fileDigest is the SHA-256 of a file's bytes.
type fileDigest [sha256.Size]byte

// among are the paths of the images whose files are among these.
func (s *Split) among(ctx context.Context, workers int, files map[fileDigest]bool) ([]string, error) {
	digests, err := s.digests(ctx, workers)
	if err != nil {
		return nil, err
	}
	same := Split{Folder: s.Folder, root: s.root}
	for i, digest := range digests {
		if files[digest] {
			same.Entries = append(same.Entries, s.Entries[i])
		}
	}
	failures, err := same.eachImage(ctx, workers, nil, func(int, int, bitmap) {})
	if err != nil {
		return nil, fmt.Errorf("compare %s with the training images: %w", s.Folder, err)
	}
	var paths []string // without what is broken, and therefore not used
	for i, failure := range failures {
		if failure == nil {
			paths = append(paths, same.Entries[i].Path)
		}
	}
	return paths, nil
}

// digests are those of the split's files, in its order.
func (s *Split) digests(ctx context.Context, workers int) ([]fileDigest, error) {
	digests, failures := make([]fileDigest, len(s.Entries)), make([]error, len(s.Entries))
	err := inParallel(ctx, workerCount(workers), len(s.Entries), func(_, i int) {
		content, err := readFile(s.file(s.Entries[i].Path))
		if !errors.Is(err, ErrImage) {
			failures[i] = err
		}
		digests[i] = sha256.Sum256(content)
	})
	if err := cmp.Or(append(failures, err)...); err != nil {
		return nil, fmt.Errorf("compare %s with the training images: %w", s.Folder, err)
	}
	return digests, nil
}
