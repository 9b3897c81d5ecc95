package store

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/results/atomicfile"
	"github.com/reidbench/reidbench/results/grammar"
	"github.com/reidbench/reidbench/results/regular"
)

// ErrDatasetChanged is wrapped by the error for a dataset that is no longer what it was when the job
// began: training goes on when the images are back, or anew in another folder.
var ErrDatasetChanged = errors.New("the dataset has changed since the run began")

// manifestFile in a job's folder lists the images that it began with: path, bytes, time of the last
// change. It names what has changed; whether anything has, the fingerprint and digests decide.
const manifestFile = "dataset.csv"

// A manifest is what there is to know of image files without reading them, by path.
type manifest map[string]imageFile

// imageFile is what a manifest says of an image.
type imageFile struct {
	bytes   int64
	changed string // the time of the last change
}

// listImages looks at every image that is used. What is gone is left out.
func listImages(d *market1501.Dataset) (manifest, error) {
	files := manifest{}
	for _, s := range d.Splits() {
		for _, e := range s.Entries {
			info, err := os.Stat(d.File(e.Path))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("%w: %w", market1501.ErrNotGiven, err)
			}
			files[e.Path] = imageFile{info.Size(), info.ModTime().UTC().Format(time.RFC3339Nano)}
		}
	}
	return files, nil
}

func (f Folder) writeManifest(data *market1501.Dataset) error {
	files, err := listImages(data)
	if err != nil {
		return err
	}
	return atomicfile.Write(f.path(manifestFile), func(w io.Writer) error {
		table := csv.NewWriter(w)
		_ = table.Write([]string{"path", "bytes", "changed"}) // Flush keeps the error
		for _, name := range slices.Sorted(maps.Keys(files)) {
			_ = table.Write([]string{name, strconv.FormatInt(files[name].bytes, 10), files[name].changed})
		}
		table.Flush()
		return table.Error()
	})
}

func (f Folder) manifest() (manifest, error) {
	path := f.path(manifestFile)
	file, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	table := csv.NewReader(file)
	table.FieldsPerRecord = 3
	rows, err := table.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	files := manifest{}
	for _, row := range rows[min(1, len(rows)):] {
		n, err := strconv.ParseInt(row[1], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		files[row[0]] = imageFile{n, row[2]}
	}
	return files, nil
}

// DatasetChanged is the error, which wraps [ErrDatasetChanged], that names what is different from when the job began.
func (f Folder) DatasetChanged(data *market1501.Dataset) error {
	was, err := f.manifest()
	if err != nil {
		return fmt.Errorf("%s: %w: %s is not the one it began with, and what is different can't be told: %w",
			f.Dir, ErrDatasetChanged, data.Source, err)
	}
	is, err := listImages(data)
	if err != nil {
		return fmt.Errorf("%s: %w: %w", f.Dir, ErrDatasetChanged, err)
	}
	return fmt.Errorf("%s: %w: in %s %s", f.Dir, ErrDatasetChanged, data.Source, was.difference(is))
}

// difference says what is different now.
func (was manifest) difference(is manifest) string {
	var gone, added, resized, rewritten []string
	for _, name := range slices.Sorted(maps.Keys(was)) {
		switch file, there := is[name]; {
		case !there:
			gone = append(gone, name)
		case file.bytes != was[name].bytes:
			resized = append(resized, name)
		case file.changed != was[name].changed:
			rewritten = append(rewritten, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(is)) {
		if _, there := was[name]; !there {
			added = append(added, name)
		}
	}
	if len(gone)+len(added)+len(resized) > 0 {
		rewritten = nil // copied, perhaps
	}
	var parts []string
	for _, change := range []struct {
		names []string
		what  string
	}{{gone, "gone"}, {added, "new"}, {resized, "of another size"}, {rewritten, "written anew"}} {
		if n := len(change.names); n > 0 {
			const named = 3
			text := strings.Join(change.names[:min(n, named)], ", ")
			if n > named {
				text += ", …"
			}
			parts = append(parts, fmt.Sprintf("%s %s (%s)", grammar.Count(n, "image", "images"), change.what, text))
		}
	}
	return cmp.Or(strings.Join(parts, ", "), "images decode to other pixels")
}
