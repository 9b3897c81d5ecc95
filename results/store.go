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
	"github.com/reidbench/reidbench/results/regular"
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
	f, err := regular.Open(path)
	if err != nil {
		return Record{}, err
	}
	defer f.Close()
	r, err := parseRecord(f)
	if err != nil {
		return Record{}, fmt.Errorf("read %s: %w", path, err)
	}
	return r, nil
}

// ReadWithQueries is Read, with the queries where the folder tells them.
func ReadWithQueries(dir string) (Record, error) {
	r, err := Read(dir)
	if err != nil {
		return r, err
	}
	queries, err := readQueriesOf(dir, r)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.NoQueries = err.Error()
	}
	r.Queries = queries
	return r, nil
}

// Odd is a folder whose record cannot stand in a report, and why.
type Odd struct {
	Folder string
	Err    error // names the folder
	Unread bool  // the record can't be read; else it is one too many
}

// Load returns the records of all finished runs in the folders of out, sorted by model and seed. A folder without a
// record is a run that is not finished and is passed over. Those whose record cannot be read, or is of a run that
// another folder holds as well (a copy), are odd: of several, the folder that is called as the run would call it is
// taken, or else the first. Records have their queries where the folder tells them.
func Load(out string) (records []Record, odd []Odd, err error) {
	held, odd, err := load(out)
	for _, h := range held {
		records = append(records, h.Record)
	}
	return records, odd, err
}

// load is Load, with the folders.
func load(out string) (taken []heldRecord, odd []Odd, err error) {
	entries, err := os.ReadDir(out)
	if err != nil {
		return nil, nil, err
	}
	var held []heldRecord
	for _, e := range entries {
		dir := filepath.Join(out, e.Name())
		if e.Type().IsRegular() {
			continue // of which there may be very many
		}
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			continue
		}
		r, err := ReadWithQueries(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			odd = append(odd, Odd{dir, err, true})
		default:
			held = append(held, heldRecord{r, dir})
		}
	}
	slices.SortStableFunc(held, func(a, b heldRecord) int {
		return cmp.Or(strings.Compare(a.Model, b.Model), cmp.Compare(a.Seed, b.Seed), cmp.Compare(b.fit(), a.fit()))
	})
	runs, rows := map[run]string{}, map[string]heldRecord{}
	for _, h := range held {
		if other, ok := runs[h.run()]; ok {
			odd = append(odd, Odd{h.dir, fmt.Errorf("%s holds a record of %s with the seed %d, which %s holds as well",
				h.dir, h.Model, h.Seed, other), false})
			continue
		}
		if other, ok := rows[h.rowName()]; ok && other.Model != h.Model {
			odd = append(odd, Odd{h.dir, fmt.Errorf("%s holds a record of %s for the row %s, which is %s's in %s",
				h.dir, h.Model, h.Row, other.Model, other.dir), false})
			continue
		}
		runs[h.run()] = h.dir
		if h.Row != "" {
			rows[h.rowName()] = h
		}
		taken = append(taken, h)
	}
	return taken, odd, nil
}

// heldRecord is a record and the folder that holds it.
type heldRecord struct {
	Record
	dir string
}

// run is what there can be one record of.
type run struct {
	model string
	seed  uint64
}

func (h heldRecord) run() run { return run{h.Model, h.Seed} }

// rowName is the published row's printed name; "" beside the tables.
func (h heldRecord) rowName() string {
	row, _ := Find(h.Row)
	return row.Name
}

// fit is how well the folder's name fits the record.
func (h heldRecord) fit() int {
	switch filepath.Base(h.dir) {
	case h.Model, fmt.Sprintf("%s@%d", h.Model, h.Seed):
		return 1
	}
	return 0
}
