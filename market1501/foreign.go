package market1501

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"

	"github.com/reidbench/reidbench/market1501/layout"
	"github.com/reidbench/reidbench/results/regular"
)

// ErrUnnamed is wrapped by the error about features of which nothing says whose they are.
var ErrUnnamed = errors.New("no names of images")

// ForeignFeatures says where features are that any program has written, and what tells who is on their images.
//
// Query and Gallery are each an array of NumPy's, float32 or float64 [images, values]; a folder with such an array of
// one image in each file, which is called like the image; or CSV with the columns file, f0, f1, …, in the shape that
// reidbench embed writes. Without Gallery, Query has both sets, as [WriteFeatures] writes them.
//
// Names are one CSV file with the columns path, pid, camid and split, or two files, of queries and gallery: CSV without
// the last column, or lists of paths, one a line, whose file names say who it is. Arrays have their images in the order
// of the names; what has names of its own is looked up there, or, without Names, in those names.
type ForeignFeatures struct {
	Query, Gallery string
	Names          []string
	Layout         string // of the names, one of package layout's; "": the one that most names have
}

// Foreign are features that another program has made.
type Foreign struct {
	Query, Gallery *Features
	Layout         string // the layout of the names, [CSVLayout], or "" for what [WriteFeatures] has written
	Junk           int    // images of pid -1, left out
	NoQueries      int    // queries of no identity, left out
}

// Read reads the features. What can't be right is an error that names file and row, and wraps [ErrFeatures] or
// [ErrList]: a value that is not finite, other counts than of names, sets of other lengths than each other.
func (f ForeignFeatures) Read(ctx context.Context) (*Foreign, error) {
	found := &Foreign{}
	if f.Gallery == "" {
		query, gallery, err := ReadFeatures(f.Query)
		if errors.Is(err, ErrFeatures) {
			err = fmt.Errorf("%w; one file is for both sets, all others come in pairs, of queries and gallery", err)
		}
		if err != nil {
			return nil, err
		}
		found.Query, found.Gallery = query, gallery
		return found, found.checkFinite(f.Query, f.Query)
	}
	query, err := readForeign(ctx, f.Query)
	if err != nil {
		return nil, err
	}
	gallery, err := readForeign(ctx, f.Gallery)
	if err != nil {
		return nil, err
	}
	if query.Dim != gallery.Dim {
		return nil, fmt.Errorf("%w: %s has %d values per image, %s has %d", ErrFeatures, f.Query, query.Dim, f.Gallery,
			gallery.Dim)
	}
	names, err := readNames(ctx, f.Names, f.Layout)
	if err != nil {
		return nil, err
	}
	if names == nil {
		if names, err = namesOf(f, query, gallery); err != nil {
			return nil, err
		}
	}
	if err := names.query.identify(query, f.Query); err != nil {
		return nil, err
	}
	if err := names.gallery.identify(gallery, f.Gallery); err != nil {
		return nil, err
	}
	found.Query, found.Gallery, found.Layout = query, gallery, names.layout
	if err := found.checkFinite(f.Query, f.Gallery); err != nil {
		return nil, err
	}
	return found, found.leaveOut(names.distractors, f)
}

// readForeign reads one of the two sets.
func readForeign(ctx context.Context, file string) (*Features, error) {
	if isDir(file) {
		return readArrays(ctx, file)
	}
	f, err := regular.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	start := make([]byte, len(npyMagic))
	n, err := io.ReadFull(f, start)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	start = start[:n]
	switch {
	case string(start) == npyMagic:
		return readNPY(file)
	case bytes.HasPrefix(start, []byte("PK")) || bytes.HasPrefix(start, []byte{0x80}):
		return nil, fmt.Errorf("read %s: %w: an archive or a pickle, as np.savez and torch.save write them: "+
			"np.save('features.npy', features) writes what is read", file, ErrFeatures)
	}
	features, err := parseEmbeddings(io.MultiReader(bytes.NewReader(start), f))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	return features, nil
}

// parseEmbeddings reads CSV with a file and its values in each line.
func parseEmbeddings(r io.Reader) (*Features, error) {
	const columns = "file"
	t := newFeatureTable(r)
	dim, err := t.begin(columns)
	if err != nil {
		return nil, fmt.Errorf("neither an array of NumPy's nor CSV of embeddings: %w", err)
	}
	f := &Features{Dim: dim}
	err = t.rows(func(cells []string) error { return f.parseRow(cells[0], 0, 0, cells[1:]) })
	if err == nil && f.Len() == 0 {
		err = fmt.Errorf("%w: no image in it", ErrFeatures)
	}
	return f, err
}

// readArrays reads a folder with an array of one row for each image.
func readArrays(ctx context.Context, dir string) (*Features, error) {
	entries, err := readFolder(ctx, dir)
	if err != nil {
		return nil, err
	}
	all := &Features{}
	for _, entry := range entries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if entry.IsDir() || !strings.EqualFold(path.Ext(entry.Name()), ".npy") {
			continue
		}
		file := filepath.Join(dir, entry.Name())
		one, err := readNPY(file)
		if err != nil {
			return nil, err
		}
		if one.Len() != 1 {
			return nil, fmt.Errorf("read %s: %w: %d rows, in a folder where each file is of one image", file,
				ErrFeatures, one.Len())
		}
		if all.Dim == 0 {
			all.Dim = one.Dim
		}
		one.Names = []string{strings.TrimSuffix(entry.Name(), path.Ext(entry.Name()))}
		if err := all.Append(one); err != nil {
			return nil, fmt.Errorf("read %s: %w", file, err)
		}
	}
	if all.Len() == 0 {
		return nil, fmt.Errorf("read %s: %w: no .npy file in the folder", dir, ErrFeatures)
	}
	return all, nil
}

// checkFinite names the file and the row of a value that has no distance.
func (f *Foreign) checkFinite(query, gallery string) error {
	for _, set := range []struct {
		*Features
		file string
	}{{f.Query, query}, {f.Gallery, gallery}} {
		for i := range set.Len() {
			for d, v := range set.Row(i) {
				if v-v != 0 { // NaN and both infinities
					return rowError(set.file, i, fmt.Errorf("%s: value %d is %v", set.name(i), d, v))
				}
			}
		}
	}
	return nil
}

// leaveOut drops what the protocol has no part for, as [Opener.Open] does: junk, and queries of no identity.
func (f *Foreign) leaveOut(distractors bool, from ForeignFeatures) error {
	junk := func(pid int32) bool { return pid == JunkPID }
	f.Junk = f.Query.drop(junk) + f.Gallery.drop(junk)
	if distractors {
		f.NoQueries = f.Query.drop(func(pid int32) bool { return pid == DistractorPID })
	}
	for _, set := range []struct {
		*Features
		file string
	}{{f.Query, from.Query}, {f.Gallery, from.Gallery}} {
		if set.Len() == 0 {
			return fmt.Errorf("%s: %w: no image of an identity in it", set.file, ErrEmptySplit)
		}
	}
	return nil
}

// drop removes the images of some pids, and says how many.
func (f *Features) drop(unwanted func(pid int32) bool) int {
	kept := 0
	for i := range f.Len() {
		if unwanted(f.PIDs[i]) {
			continue
		}
		if kept != i {
			copy(f.Row(kept), f.Row(i))
			f.PIDs[kept], f.CamIDs[kept], f.Names[kept] = f.PIDs[i], f.CamIDs[i], f.Names[i]
		}
		kept++
	}
	dropped := f.Len() - kept
	f.Values = f.Values[:kept*f.Dim]
	f.PIDs, f.CamIDs, f.Names = f.PIDs[:kept], f.CamIDs[:kept], f.Names[:kept]
	return dropped
}

// stem is the name of an image's file without its ending, if it has one of an image's.
func stem(file string) string {
	name, _ := layout.CutSuffix(path.Base(file))
	return name
}
