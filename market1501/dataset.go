package market1501

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/reidbench/reidbench/market1501/layout"
	"github.com/reidbench/reidbench/results/grammar"
)

// Identities that are no persons to be found.
const (
	JunkPID       = layout.Junk // left out everywhere
	DistractorPID = 0           // where the layout has distractors: in the gallery only, where no query looks for it
)

var (
	// ErrNotDataset is wrapped by Open's error for a folder without the three splits.
	ErrNotDataset = errors.New("not a dataset")
	// ErrEmptySplit is wrapped by Open's error for a split without a usable image.
	ErrEmptySplit = errors.New("empty split")
)

// Entry is one image of a split.
type Entry struct {
	Path  string // with slashes, relative to the dataset's folder: query/0001_c1s1_001051_00.jpg; a CSV's as it says
	PID   int32  // identity
	CamID int32  // camera
	Label int32  // class 0…Classes-1 in the train split, -1 in the others
}

// Split is the listing of one folder, or of one part of a list, sorted by path.
type Split struct {
	Folder  string // bounding_box_train, query or bounding_box_test, or what the split is called elsewhere
	Entries []Entry

	Junk        int      // images of pid -1, left out
	Distractors int      // images of no identity: kept in the gallery, left out of train and query
	Others      []Others // what else lies in the folder, by ending
	Unparsable  []string // paths of images whose name does not parse, left out

	root  string
	place string // for people: the folder's path, or the list's
	named string // the layout that names are read as
	part  bool   // of a larger split
}

// Dataset is an opened dataset. Only its names have been read.
type Dataset struct {
	Source  string // for people: the folder that holds the splits, or the list
	Root    string // the folder that paths are relative to
	Name    string // of the folder, or of the list
	Layout  string // the name of the layout, or [CSVLayout]
	Train   Split
	Query   Split
	Gallery Split
	Classes int // identities in Train
}

// Opener says how a dataset is opened; the zero value is [Open]'s.
type Opener struct {
	Layout   string // of the names, one of package layout's; "": the one that most names have
	TestOnly bool   // the train split may be missing, or empty
}

// Open lists the dataset in dir by [Opener.Open].
func Open(ctx context.Context, dir string) (*Dataset, error) { return Opener{}.Open(ctx, dir) }

// Open lists the dataset in dir, or in the one folder directly below dir that holds
// the three splits (as Market-1501-v15.09.15 does after unpacking); hidden folders
// are passed over. A file whose name ends in .csv is a list of images. Train
// identities are labelled 0…Classes-1 in ascending order of pid.
//
// The error wraps [ErrNotDataset] or [ErrEmptySplit] where that is the reason,
// [layout.ErrUnknown] or [ErrList], and names the folder or file. An image whose name
// does not parse is no error: it is left out and listed in its split. Folders of any
// size stop with their context.
func (o Opener) Open(ctx context.Context, dir string) (*Dataset, error) {
	var d *Dataset
	var err error
	if strings.EqualFold(filepath.Ext(dir), ".csv") && !isDir(dir) {
		d, err = o.openCSV(ctx, dir)
	} else {
		d, err = o.openFolder(ctx, dir)
	}
	if err != nil {
		return nil, err
	}
	for i, s := range d.Splits() {
		if len(s.Entries) == 0 && !(o.TestOnly && i == 0) {
			return nil, fmt.Errorf("open dataset: %w: %s", ErrEmptySplit, s.whyEmpty())
		}
	}
	d.labelTrain()
	return d, nil
}

func (o Opener) openFolder(ctx context.Context, dir string) (*Dataset, error) {
	if o.Layout != "" {
		if _, err := layout.Named(o.Layout); err != nil {
			return nil, err
		}
	}
	root, found, err := o.findRoot(ctx, dir)
	if err != nil {
		return nil, err
	}
	d := &Dataset{Source: root, Root: root, Name: filepath.Base(root)}
	if found.lists {
		return d, d.readMSMT17(ctx)
	}
	return d, d.listFolders(ctx, found, o.Layout)
}

// Splits returns train, query and gallery.
func (d *Dataset) Splits() [3]*Split { return [...]*Split{&d.Train, &d.Query, &d.Gallery} }

// Matched is how many queries have a match in the gallery: an image of their identity by another camera.
func (d *Dataset) Matched() int {
	type view struct{ pid, camera int32 }
	views, cameras := map[view]bool{}, map[int32]int{}
	for _, e := range d.Gallery.Entries {
		if v := (view{e.PID, e.CamID}); !views[v] {
			views[v] = true
			cameras[e.PID]++
		}
	}
	matched := 0
	for _, e := range d.Query.Entries {
		others := cameras[e.PID]
		if views[view{e.PID, e.CamID}] {
			others--
		}
		if others > 0 {
			matched++
		}
	}
	return matched
}

// Warnings says in sentences what a user should know before trusting a run on
// this dataset: what was left out because of its name.
func (d *Dataset) Warnings() []string {
	var warnings []string
	for _, s := range d.Splits() {
		if n := len(s.Unparsable); n > 0 {
			warnings = append(warnings, fmt.Sprintf("%s: %s parse as %s and %s left out: %s", s.place,
				grammar.Count(n, "file name does not", "file names do not"), s.named, grammar.Choose(n, "is", "are"),
				abridged(s.Unparsable)))
		}
		if unread := s.Unread(); unread != "" {
			warnings = append(warnings,
				fmt.Sprintf("%s: what is no .jpg, .jpeg or .png is left out: %s", s.place, unread))
		}
		if n := s.Distractors; s != &d.Gallery && n > 0 {
			warnings = append(warnings, fmt.Sprintf("%s: %s of pid 0, which is no identity, %s left out", s.place,
				grammar.Count(n, "image", "images"), grammar.Choose(n, "is", "are")))
		}
	}
	return warnings
}

// Clutter says in a sentence which files that systems leave in folders are passed over; "" if there are none.
func (d *Dataset) Clutter() string {
	var parts []string
	for _, s := range d.Splits() {
		if clutter := s.others(true); clutter != "" {
			parts = append(parts, clutter)
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "passed over among the images: " + strings.Join(parts, ", ")
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
// with the whole, and so does the error for a split without one image that can be
// decoded: see [DecodedSplit.Err].
func (s *Split) Range(from, to int) *Split {
	return &Split{Folder: s.Folder, Entries: s.Entries[from:to], root: s.root, part: true}
}

// file is the path of an entry on this machine.
func (s *Split) file(entry string) string { return onDisk(s.root, entry) }

// File is the path of an entry of the dataset on this machine.
func (d *Dataset) File(entry string) string { return onDisk(d.Root, entry) }

func onDisk(root, entry string) string {
	if file := filepath.FromSlash(entry); filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(root, filepath.FromSlash(entry))
}
