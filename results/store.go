package results

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/reidbench/reidbench/results/atomicfile"
)

// File is the name of a record in its model's folder: OUT/<model>/result.json.
const File = "result.json"

// Write stores the record as dir/result.json, whole or not at all. It fills in the format.
func Write(dir string, r Record) error {
	path := filepath.Join(dir, File)
	r.Format = Format
	if err := r.Validate(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	})
}

// Read returns the record in dir/result.json. The error is fs.ErrNotExist where the run is not finished.
func Read(dir string) (Record, error) {
	path := filepath.Join(dir, File)
	f, err := os.Open(path)
	if err != nil {
		return Record{}, err
	}
	defer f.Close()
	r, err := ParseRecord(f)
	if err != nil {
		return Record{}, fmt.Errorf("read %s: %w", path, err)
	}
	return r, nil
}

// Load returns the records of all finished runs in the folders of out, sorted by model and seed. A folder without a
// record is a run that is not finished and is passed over; a malformed record is an error, and so are two records of
// one model and seed.
func Load(out string) ([]Record, error) {
	entries, err := os.ReadDir(out)
	if err != nil {
		return nil, err
	}
	var records []Record
	type run struct {
		model string
		seed  uint64
	}
	folder := make(map[run]string)
	for _, e := range entries {
		dir := filepath.Join(out, e.Name())
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			continue
		}
		r, err := Read(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		key := run{r.Model, r.Seed}
		if other, ok := folder[key]; ok {
			return nil, fmt.Errorf("%s and %s both hold a record of %s with the seed %d", other, dir, r.Model, r.Seed)
		}
		folder[key] = dir
		records = append(records, r)
	}
	slices.SortFunc(records, func(a, b Record) int {
		return cmp.Or(strings.Compare(a.Model, b.Model), cmp.Compare(a.Seed, b.Seed))
	})
	return records, nil
}
