package market1501

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/reidbench/reidbench/results/grammar"
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
	}{{len(o.Query), " of the queries"}, {len(o.Gallery), " of the gallery"}} {
		if part.n > 0 {
			parts = append(parts, grammar.Count(part.n, "image", "images")+part.what)
		}
	}
	return []string{fmt.Sprintf("%s %s as well, which flatters: %s", strings.Join(parts, " and "),
		grammar.Choose(o.Len(), "is a training image", "are training images"),
		abridged(slices.Concat(o.Query, o.Gallery)))}
}

// Overlap reads every file of the dataset, workers at once (0: one per CPU).
func (d *Dataset) Overlap(ctx context.Context, workers int) (overlap Overlap, err error) {
	var digests [3][]fileDigest
	for i, s := range d.Splits() {
		digests[i] = make([]fileDigest, len(s.Entries))
		_, err := s.eachFile(ctx, workers, nil, func(_ context.Context, _, entry int, file string) error {
			content, err := readFile(file)
			if err == nil {
				digests[i][entry] = sha256.Sum256(content)
			}
			return err
		})
		if err != nil {
			return Overlap{}, fmt.Errorf("compare %s with the training images: %w", s.Folder, err)
		}
	}
	if overlap.Query, err = d.Query.among(digests[1], digests[0]).intact(ctx, workers); err != nil {
		return Overlap{}, err
	}
	overlap.Gallery, err = d.Gallery.among(digests[2], digests[0]).intact(ctx, workers)
	return overlap, err
}

// fileDigest is the SHA-256 of a file's bytes. The zero value is that of no file.
type fileDigest [sha256.Size]byte

// among is the part of the split whose files are among the trained ones. digests are those of its own.
func (s *Split) among(digests, trained []fileDigest) *Split {
	wanted := map[fileDigest]bool{}
	for _, digest := range trained {
		wanted[digest] = true
	}
	delete(wanted, fileDigest{})
	same := &Split{Folder: s.Folder, root: s.root}
	for i, digest := range digests {
		if wanted[digest] {
			same.Entries = append(same.Entries, s.Entries[i])
		}
	}
	return same
}

// paths are those of the split's images.
func (s *Split) paths() (paths []string) {
	for _, e := range s.Entries {
		paths = append(paths, e.Path)
	}
	return paths
}

// intact are the paths of the images that are not broken, and therefore used.
func (s *Split) intact(ctx context.Context, workers int) ([]string, error) {
	failures, err := s.eachImage(ctx, workers, nil, func(int, int, bitmap) {})
	if err != nil {
		return nil, fmt.Errorf("compare %s with the training images: %w", s.Folder, err)
	}
	var paths []string
	for i, path := range s.paths() {
		if failures[i] == nil {
			paths = append(paths, path)
		}
	}
	return paths, nil
}
