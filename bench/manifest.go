package bench

import (
	"cmp"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/results/atomicfile"
)

// ErrDatasetChanged is wrapped by the error for a dataset that is no longer what it was when the job
// began: training goes on when the images are back, or anew in another folder.
var ErrDatasetChanged = errors.New("the dataset has changed since the run began")

// manifestFile in a job's folder lists the images that it began with: path, bytes, time of the last
// change. It names what has changed; whether anything has, the fingerprint and digests decide.
const manifestFile = "dataset.csv"

// imageFile is what a manifest says of an image.
type imageFile struct {
	bytes   int64
	changed string // the time of the last change
}

// manifest looks at every image that is used, by path. What is gone is left out.
func (d *dataset) manifest() (map[string]imageFile, error) {
	files := map[string]imageFile{}
	for _, s := range d.Splits() {
		for _, e := range s.Entries {
			info, err := os.Stat(filepath.Join(d.Root, filepath.FromSlash(e.Path)))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, err
			}
			files[e.Path] = imageFile{info.Size(), info.ModTime().UTC().Format(time.RFC3339Nano)}
		}
	}
	return files, nil
}

func (d *dataset) writeManifest(path string) error {
	files, err := d.manifest()
	if err != nil {
		return err
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		table := csv.NewWriter(w)
		_ = table.Write([]string{"path", "bytes", "changed"}) // Flush keeps the error
		for _, name := range slices.Sorted(maps.Keys(files)) {
			_ = table.Write([]string{name, strconv.FormatInt(files[name].bytes, 10), files[name].changed})
		}
		table.Flush()
		return table.Error()
	})
}

func readManifest(path string) (map[string]imageFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	table := csv.NewReader(f)
	table.FieldsPerRecord = 3
	rows, err := table.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	files := map[string]imageFile{}
	for _, row := range rows[min(1, len(rows)):] {
		n, err := strconv.ParseInt(row[1], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		files[row[0]] = imageFile{n, row[2]}
	}
	return files, nil
}

// verify is an error that wraps ErrDatasetChanged if files are gone or have another size than when the
// dataset was opened. dir is the folder of the job that asks.
func (d *dataset) verify(dir string) error {
	switch fingerprint, err := d.Fingerprint(); {
	case errors.Is(err, fs.ErrNotExist), err == nil && fingerprint != d.record.Fingerprint:
		return d.changed(dir)
	default:
		return err
	}
}

// changed is the error that names what is different from when the job in dir began.
func (d *dataset) changed(dir string) error {
	was, err := readManifest(filepath.Join(dir, manifestFile))
	if err != nil {
		return fmt.Errorf("%s: %w: %s is not the one it began with, and what is different can't be told: %w", dir, ErrDatasetChanged, d.Root, err)
	}
	is, err := d.manifest()
	if err != nil {
		return fmt.Errorf("%s: %w: %w", dir, ErrDatasetChanged, err)
	}
	return fmt.Errorf("%s: %w: in %s %s", dir, ErrDatasetChanged, d.Root, compareManifests(was, is))
}

// compareManifests says what is different.
func compareManifests(was, is map[string]imageFile) string {
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
			parts = append(parts, fmt.Sprintf("%d image(s) %s (%s)", n, change.what, text))
		}
	}
	return cmp.Or(strings.Join(parts, ", "), "images decode to other pixels")
}

// imagesDigest identifies decoded images: their names, labels and pixels in order.
type imagesDigest struct{ hash hash.Hash }

func newImagesDigest() imagesDigest { return imagesDigest{sha256.New()} }

func (d imagesDigest) add(images *market1501.Images) {
	for i := range images.Len() {
		fmt.Fprintf(d.hash, "%s\x00%d\n", images.Name(i), images.Label(i))
		d.hash.Write(images.Pixels(i))
	}
}

func (d imagesDigest) String() string { return hex.EncodeToString(d.hash.Sum(nil)) }
