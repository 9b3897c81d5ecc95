package market1501

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/reidbench/reidbench/market1501/layout"
)

// NamedImages lists images that are named one by one, in their order; who is on them no name says. A folder stands for
// the images in it and below it, sorted by path, hidden ones left out. The error names a path that is not there, and
// wraps [ErrEmptySplit] for a folder without an image.
func NamedImages(ctx context.Context, paths []string) (*Split, error) {
	s := &Split{Folder: "images"}
	for _, path := range paths {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		info, err := os.Stat(path)
		switch {
		case err != nil:
			return nil, fmt.Errorf("list images: %w", err)
		case !info.IsDir():
			s.addNamed(path)
			continue
		}
		before := len(s.Entries)
		if err := s.addBelow(ctx, path); err != nil {
			return nil, fmt.Errorf("list images: %w", err)
		}
		if len(s.Entries) == before {
			return nil, fmt.Errorf("list images in %s: %w: no JPEG and no PNG file", path, ErrEmptySplit)
		}
	}
	return s, nil
}

func (s *Split) addNamed(path string) {
	s.Entries = append(s.Entries, Entry{Path: filepath.ToSlash(path), Label: -1})
}

// addBelow adds the images in a folder and below it.
func (s *Split) addBelow(ctx context.Context, folder string) error {
	return filepath.WalkDir(folder, func(path string, file fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		_, image := layout.CutSuffix(file.Name())
		switch {
		case err != nil:
			return err
		case path != folder && strings.HasPrefix(file.Name(), "."):
			if file.IsDir() {
				return fs.SkipDir
			}
		case !file.IsDir() && image:
			s.addNamed(path)
		}
		return nil
	})
}
