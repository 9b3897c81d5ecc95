package market1501

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// The folders of the three splits.
const (
	trainFolder   = "bounding_box_train"
	queryFolder   = "query"
	galleryFolder = "bounding_box_test"
)

var splitFolders = [...]string{trainFolder, queryFolder, galleryFolder}

var (
	// ErrNotDataset is wrapped by Open's error for a folder without the three splits.
	ErrNotDataset = errors.New("not a Market-1501 dataset")
	// ErrEmptySplit is wrapped by Open's error for a split without a usable image.
	ErrEmptySplit = errors.New("empty split")
)

// Entry is one image of a split.
type Entry struct {
	Path  string // relative to the dataset's folder, with slashes: query/0001_c1s1_001051_00.jpg
	PID   int32  // identity
	CamID int32  // camera, from 1
	Label int32  // class 0…Classes-1 in the train split, -1 in the others
}

// Split is the listing of one folder, sorted by file name.
type Split struct {
	Folder  string // bounding_box_train, query or bounding_box_test
	Entries []Entry

	Junk        int      // images of pid -1, left out
	Distractors int      // images of pid 0: kept in the gallery, left out of train and query
	Ignored     int      // files that are no JPEGs by their name (Thumbs.db), and folders
	Unparsable  []string // paths of JPEGs whose name does not parse, left out

	root string
}

// Dataset is an opened Market-1501 folder. Only its names have been read.
type Dataset struct {
	Root    string // the folder that holds the three splits
	Train   Split
	Query   Split
	Gallery Split
	Classes int // identities in Train
}

// Open lists the dataset in dir, or in the one folder directly below dir that
// holds the three splits (as Market-1501-v15.09.15 does after unpacking); hidden
// folders are passed over. Train identities are labelled 0…Classes-1 in ascending
// order of pid.
//
// The error wraps [ErrNotDataset] or [ErrEmptySplit] where that is the reason,
// and names the folder. A file whose name does not parse is no error: it is left
// out and listed in its split.
func Open(dir string) (*Dataset, error) {
	root, err := findRoot(dir)
	if err != nil {
		return nil, err
	}
	d := &Dataset{Root: root}
	for i, split := range d.Splits() {
		if err := split.list(root, splitFolders[i]); err != nil {
			return nil, err
		}
	}
	d.labelTrain()
	return d, nil
}

// Splits returns train, query and gallery.
func (d *Dataset) Splits() [3]*Split { return [...]*Split{&d.Train, &d.Query, &d.Gallery} }

// Warnings says in sentences what a user should know before trusting a run on
// this dataset: files left out because of their names.
func (d *Dataset) Warnings() []string {
	var warnings []string
	for _, s := range d.Splits() {
		if n := len(s.Unparsable); n > 0 {
			warnings = append(warnings, fmt.Sprintf("%s: %d file name(s) do not parse and are left out: %s",
				filepath.Join(s.root, s.Folder), n, abridged(s.Unparsable)))
		}
		if s.Folder != galleryFolder && s.Distractors > 0 {
			warnings = append(warnings, fmt.Sprintf("%s: %d image(s) of pid 0, which is no identity, are left out",
				filepath.Join(s.root, s.Folder), s.Distractors))
		}
	}
	return warnings
}

// abridged lists the first few names, or whatever else there is to be named.
func abridged[T any](names []T) string {
	const most = 5
	var listed []string
	for _, name := range names[:min(len(names), most)] {
		listed = append(listed, fmt.Sprint(name))
	}
	if len(names) > most {
		listed = append(listed, "…")
	}
	return strings.Join(listed, ", ")
}

func findRoot(dir string) (string, error) {
	if info, err := os.Stat(dir); err != nil {
		return "", fmt.Errorf("open dataset: %w", err)
	} else if !info.IsDir() {
		return "", fmt.Errorf("open dataset %s: %w: a file, not a folder", dir, ErrNotDataset)
	}
	missing := missingSplits(dir)
	switch len(missing) {
	case 0:
		return dir, nil
	case len(splitFolders):
	default:
		return "", fmt.Errorf("open dataset %s: %w: no folder %s", dir, ErrNotDataset, strings.Join(missing, ", "))
	}
	children, err := os.ReadDir(dir)
	if err != nil {
		return "", fmt.Errorf("open dataset: %w", err)
	}
	var found []string
	for _, child := range children {
		if strings.HasPrefix(child.Name(), ".") {
			continue // what a killed Synthesize has left, for one
		}
		if inner := filepath.Join(dir, child.Name()); isDir(inner) && len(missingSplits(inner)) == 0 {
			found = append(found, child.Name())
		}
	}
	switch len(found) {
	case 0:
		return "", fmt.Errorf("open dataset %s: %w: neither it nor a folder in it holds %s",
			dir, ErrNotDataset, strings.Join(splitFolders[:], ", "))
	case 1:
		return filepath.Join(dir, found[0]), nil
	default:
		return "", fmt.Errorf("open dataset %s: %w but a folder of several, name one: %s",
			dir, ErrNotDataset, strings.Join(found, ", "))
	}
}

func missingSplits(dir string) []string {
	var missing []string
	for _, folder := range splitFolders {
		if !isDir(filepath.Join(dir, folder)) {
			missing = append(missing, folder)
		}
	}
	return missing
}

func isDir(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.IsDir()
}

func (s *Split) list(root, folder string) error {
	*s = Split{Folder: folder, root: root}
	dir := filepath.Join(root, folder)
	files, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return fmt.Errorf("list split: %w", err)
	}
	for _, file := range files {
		if !looksLikeImage(file) {
			s.Ignored++
			continue
		}
		relative := path.Join(folder, file.Name())
		name, err := ParseName(file.Name())
		if err != nil {
			s.Unparsable = append(s.Unparsable, relative)
			continue
		}
		switch name.PID {
		case JunkPID:
			s.Junk++
			continue
		case DistractorPID:
			s.Distractors++
			if folder != galleryFolder {
				continue
			}
		}
		s.Entries = append(s.Entries, Entry{Path: relative, PID: int32(name.PID), CamID: int32(name.CamID), Label: -1})
	}
	if len(s.Entries) > 0 {
		return nil
	}
	if n := len(s.Unparsable); n > 0 {
		return fmt.Errorf("open dataset: %w: %s: the names of all %d images do not parse: %s",
			ErrEmptySplit, dir, n, abridged(s.Unparsable))
	}
	return fmt.Errorf("open dataset: %w: %s: no image of an identity in it", ErrEmptySplit, dir)
}

// looksLikeImage leaves out folders, Thumbs.db and the ._*.jpg that archives
// made on a Mac bring along.
func looksLikeImage(file fs.DirEntry) bool {
	_, jpeg := cutJPEGSuffix(file.Name())
	return jpeg && !file.IsDir() && !strings.HasPrefix(file.Name(), ".")
}

func (d *Dataset) labelTrain() {
	pids := make([]int32, 0, len(d.Train.Entries))
	for _, e := range d.Train.Entries {
		pids = append(pids, e.PID)
	}
	slices.Sort(pids)
	pids = slices.Compact(pids)
	for i := range d.Train.Entries {
		label, _ := slices.BinarySearch(pids, d.Train.Entries[i].PID)
		d.Train.Entries[i].Label = int32(label)
	}
	d.Classes = len(pids)
}

// Range returns the part of the split that holds Entries[from:to], so that a
// large gallery can be decoded piece by piece. Counts of what was left out stay
// with the whole.
func (s *Split) Range(from, to int) *Split {
	return &Split{Folder: s.Folder, Entries: s.Entries[from:to], root: s.root}
}

// file is the path of an entry on this machine.
func (s *Split) file(relative string) string {
	return filepath.Join(s.root, filepath.FromSlash(relative))
}
