package market1501

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/reidbench/reidbench/market1501/layout"
)

// listFolders lists the three folders, their names read as named, or as those of most images.
func (d *Dataset) listFolders(ctx context.Context, found arrangement, named string) error {
	var images [3][]string
	var all []string
	for i, s := range d.Splits() {
		*s = Split{Folder: found.splits[i], root: d.Root, place: filepath.Join(d.Root, found.splits[i])}
		var err error
		if images[i], err = s.findImages(ctx); err != nil {
			return err
		}
		all = append(all, images[i]...)
	}
	chosen, ok := layout.Most(all)
	if named != "" {
		var err error
		if chosen, err = layout.Named(named); err != nil {
			return err
		}
	} else if !ok {
		chosen = layout.Market1501
	}
	d.Layout = chosen.Name
	for i, s := range d.Splits() {
		if ok || named != "" {
			s.named = chosen.String()
		}
		for _, file := range images[i] {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("list %s: %w", s.place, err)
			}
			name, err := chosen.Parse(file)
			if err != nil {
				s.Unparsable = append(s.Unparsable, path.Join(s.Folder, file))
				continue
			}
			s.add(path.Join(s.Folder, file), name, chosen.Distractors, s == &d.Gallery)
		}
	}
	return nil
}

// findImages returns the names of the images in the split's folder, sorted, and counts what else is there. A folder
// that is not there has none.
func (s *Split) findImages(ctx context.Context) ([]string, error) {
	files, err := readFolder(ctx, filepath.Join(s.root, s.Folder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list split: %w", err)
	}
	var images []string
	for _, file := range files {
		if ending, image := ending(file); image {
			images = append(images, file.Name())
		} else {
			s.addOther(ending, path.Join(s.Folder, file.Name()))
		}
	}
	return images, nil
}

// readFolder is [os.ReadDir], which a folder of millions of files keeps busy for long, until ctx ends.
func readFolder(ctx context.Context, dir string) ([]fs.DirEntry, error) {
	const atOnce = 4096
	info, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() { // to open a pipe would wait for whoever writes into it
		return nil, &fs.PathError{Op: "open", Path: dir, Err: syscall.ENOTDIR}
	}
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var files []fs.DirEntry
	for {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("%s: %w", dir, err)
		}
		some, err := f.ReadDir(atOnce)
		files = append(files, some...)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(files, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	return files, nil
}

// add takes in one image, or counts why it does not.
func (s *Split) add(file string, name layout.Name, distractors, gallery bool) {
	switch {
	case name.PID == JunkPID:
		s.Junk++
		return
	case name.PID == DistractorPID && distractors:
		s.Distractors++
		if !gallery {
			return
		}
	}
	s.Entries = append(s.Entries, Entry{Path: file, PID: int32(name.PID), CamID: int32(name.CamID), Label: -1})
}

// whyEmpty says where a split without an image is, and what there is in its place.
func (s *Split) whyEmpty() string {
	if n := len(s.Unparsable); n > 0 {
		as := s.named
		if as == "" {
			var tried []string
			for _, l := range layout.All() {
				tried = append(tried, l.String())
			}
			as = "any of " + strings.Join(tried, ", ")
		}
		return fmt.Sprintf("%s: the names of all %d images do not parse as %s: %s. "+
			"Images of any name can be listed in a .csv file", s.place, n, as, abridged(s.Unparsable))
	}
	why := s.place + ": no image of an identity in it"
	if unread := s.Unread(); unread != "" {
		why += ", but " + unread
	}
	return why
}

func isDir(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.IsDir()
}
