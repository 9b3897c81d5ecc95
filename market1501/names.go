package market1501

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"github.com/reidbench/reidbench/market1501/layout"
)

// names say who is on the images of features.
type names struct {
	query, gallery nameList
	layout         string
	distractors    bool // pid 0 is no identity
}

// nameList is who is on the images of one set, in its order.
type nameList struct {
	file   string // for people
	ofRows bool   // features' own names: their lines are rows from 0
	images []namedImage
	byStem map[string][]int
	lines  map[string]int // of the paths so far
}

// fail is an error about an image of the list.
func (l *nameList) fail(line int, err error) error {
	if l.ofRows {
		return rowError(l.file, line, err)
	}
	return listError(l.file, line, "%w", err)
}

// rowError is an error about a row of features.
func rowError(file string, row int, err error) error {
	return fmt.Errorf("%s: %w: row %d (from 0): %w", file, ErrFeatures, row, err)
}

// namedImage is an image of a list.
type namedImage struct {
	path string
	line int
	layout.Name
}

// add takes in the image of a line; one that stands there already is an error.
func (l *nameList) add(image namedImage) error {
	if before, twice := l.lines[image.path]; twice {
		if l.ofRows {
			return fmt.Errorf("%q is row %d already", image.path, before)
		}
		return fmt.Errorf("%q stands in line %d already", image.path, before)
	}
	if l.lines == nil {
		l.lines, l.byStem = map[string]int{}, map[string][]int{}
	}
	l.lines[image.path] = image.line
	l.byStem[stem(image.path)] = append(l.byStem[stem(image.path)], len(l.images))
	l.images = append(l.images, image)
	return nil
}

// readNames reads one or two lists; of none it returns nil.
func readNames(ctx context.Context, files []string, named string) (*names, error) {
	all := &names{}
	var err error
	switch len(files) {
	case 0:
		return nil, nil
	case 1:
		all.layout = CSVLayout
		all.query.file, all.gallery.file = files[0]+", "+querySplit, files[0]+", "+gallerySplit
		err = all.readSplits(ctx, files[0])
	case 2:
		err = all.readPair(ctx, files, named)
	default:
		err = fmt.Errorf("%w: %d files of names, not one, or two of queries and gallery", ErrList, len(files))
	}
	if err != nil {
		return nil, fmt.Errorf("read names: %w", err)
	}
	return all, nil
}

// readSplits reads one list of both sets; training images are passed over.
func (n *names) readSplits(ctx context.Context, file string) error {
	content, err := readList(file)
	if err != nil {
		return err
	}
	if !hasColumns(content) {
		return fmt.Errorf("%s: %w: not CSV with the columns %s; lists of paths are two, of queries and gallery", file,
			ErrList, strings.Join(csvColumns[:], ", "))
	}
	return eachImage(ctx, file, content, csvColumns[:], func(fields []string, line int) error {
		image, err := readImage(fields, line)
		if err != nil {
			return err
		}
		split, err := csvSplit(fields[3])
		switch {
		case err != nil:
			return err
		case csvSplits[split] == querySplit:
			return n.query.add(image)
		case csvSplits[split] == gallerySplit:
			return n.gallery.add(image)
		}
		return nil
	})
}

func readImage(fields []string, line int) (namedImage, error) {
	file, name, err := csvImage(fields)
	return namedImage{file, line, name}, err
}

// readPair reads a list of queries and one of gallery images.
func (n *names) readPair(ctx context.Context, files []string, named string) error {
	var paths [2]bool
	for i, l := range []*nameList{&n.query, &n.gallery} {
		l.file = files[i]
		content, err := readList(l.file)
		if err != nil {
			return err
		}
		if paths[i] = !hasColumns(content); paths[i] {
			err = l.readPaths(content)
		} else {
			err = eachImage(ctx, l.file, content, csvColumns[:3], func(fields []string, line int) error {
				image, err := readImage(fields, line)
				if err != nil {
					return err
				}
				return l.add(image)
			})
		}
		if err != nil {
			return err
		}
	}
	switch {
	case paths[0] != paths[1]:
		return fmt.Errorf("%w: of %s and %s one is CSV with pids and cameras, the other a list of paths", ErrList,
			files[0], files[1])
	case !paths[0]:
		n.layout = CSVLayout
		return nil
	}
	return n.parse(named)
}

// hasColumns reports whether a list's first line names columns, not an image.
func hasColumns(content []byte) bool {
	header, _, _ := bytes.Cut(content, []byte("\n"))
	header = bytes.ToLower(header)
	return bytes.Contains(header, []byte("path")) && bytes.Contains(header, []byte("pid"))
}

// readPaths reads a list of paths, one a line.
func (l *nameList) readPaths(content []byte) error {
	line := 0
	for text := range bytes.Lines(content) {
		line++
		trimmed := strings.TrimSpace(string(text))
		if trimmed == "" {
			continue
		}
		file, err := listedPath(trimmed)
		if err == nil {
			err = l.add(namedImage{path: file, line: line})
		}
		if err != nil {
			return l.fail(line, err)
		}
	}
	return nil
}

// parse reads who is on the images from the names of their files.
func (n *names) parse(named string) error {
	var all []string
	for _, l := range []*nameList{&n.query, &n.gallery} {
		for _, image := range l.images {
			all = append(all, path.Base(image.path))
		}
	}
	chosen, ok := layout.Most(all)
	if named != "" {
		var err error
		if chosen, err = layout.Named(named); err != nil {
			return err
		}
	} else if !ok && len(all) > 0 {
		return fmt.Errorf("%w: %q, and all other names, are of no layout that is known: name CSV files with the "+
			"columns %s", ErrList, all[0], strings.Join(csvColumns[:3], ", "))
	}
	n.layout, n.distractors = chosen.Name, chosen.Distractors
	for _, l := range []*nameList{&n.query, &n.gallery} {
		for i := range l.images {
			image := &l.images[i]
			var err error
			if image.Name, err = chosen.Parse(path.Base(image.path)); err != nil {
				return l.fail(image.line, err)
			}
		}
	}
	return nil
}

// namesOf are those that features have themselves.
func namesOf(from ForeignFeatures, query, gallery *Features) (*names, error) {
	n := &names{}
	for _, set := range []struct {
		*nameList
		file     string
		features *Features
	}{{&n.query, from.Query, query}, {&n.gallery, from.Gallery, gallery}} {
		if set.features.Names == nil {
			return nil, fmt.Errorf("%w: %s does not say whose its rows are", ErrUnnamed, set.file)
		}
		set.nameList.file, set.nameList.ofRows = set.file, true
		for i, name := range set.features.Names {
			if _, image := layout.CutSuffix(name); !image {
				name += ".jpg" // an array's file is called like the image, without its ending
			}
			file, err := listedPath(name)
			if err == nil {
				err = set.add(namedImage{path: file, line: i})
			}
			if err != nil {
				return nil, set.fail(i, err)
			}
		}
	}
	return n, n.parse(from.Layout)
}

// identify says of each image of features who is on it.
func (l *nameList) identify(f *Features, file string) error {
	if f.Names == nil {
		if f.Len() != len(l.images) {
			return fmt.Errorf("%w: %s has %d rows, %s names %d images", ErrFeatures, file, f.Len(), l.file,
				len(l.images))
		}
		f.Names = make([]string, f.Len())
		for i, image := range l.images {
			f.set(i, image)
		}
		return nil
	}
	seen := make(map[string]int, f.Len())
	for i, name := range f.Names {
		image, err := l.find(name)
		if err == nil {
			if before, twice := seen[image.path]; twice {
				err = fmt.Errorf("the same image as row %d", before)
			}
			seen[image.path] = i
		}
		if err != nil {
			return rowError(file, i, fmt.Errorf("%s: %w", name, err))
		}
		f.set(i, image)
	}
	return nil
}

func (f *Features) set(i int, image namedImage) {
	f.Names[i], f.PIDs[i], f.CamIDs[i] = image.path, int32(image.PID), int32(image.CamID)
}

// find is the image that a name stands for: one path is the end of the other, but for the image's ending.
func (l *nameList) find(name string) (namedImage, error) {
	bare := func(file string) string { return path.Join(path.Dir(file), stem(file)) }
	ends := func(long, short string) bool { return strings.HasSuffix("/"+long, "/"+short) }
	name = bare(path.Clean(filepath.ToSlash(name)))
	var found []namedImage
	for _, at := range l.byStem[path.Base(name)] {
		if listed := bare(l.images[at].path); ends(listed, name) || ends(name, listed) {
			found = append(found, l.images[at])
		}
	}
	switch len(found) {
	case 0:
		return namedImage{}, fmt.Errorf("%s does not name it", l.file)
	case 1:
		return found[0], nil
	}
	return namedImage{}, fmt.Errorf("%s names several: %s, %s", l.file, found[0].path, found[1].path)
}
