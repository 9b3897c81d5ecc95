package store

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/results/regular"
)

// History is what a job's folder tells of its training, under way or over.
type History struct {
	Model    string
	Seed     uint64
	Schedule recipe.Schedule
	Entries  []Entry // of the log, oldest first
}

// fewSteps is how many steps a training has at most for its history to hold an entry of each. Of a longer one the
// epochs tell enough: a log of the whole recipe has tens of thousands of steps.
const fewSteps = 2000

// maxEntry bounds a line of the log: an evaluation's CMC curve takes a kilobyte.
const maxEntry = 1 << 20

// History reads the job's log. The error is fs.ErrNotExist for a folder that holds no job. A last line
// that is not whole is being written, or was when the power failed, and is left out.
func (f Folder) History() (History, error) {
	id, err := f.Identity()
	if err != nil {
		return History{}, err
	}
	if id == nil {
		return History{}, fmt.Errorf("%s holds no run: %w", f.Dir, fs.ErrNotExist)
	}
	h := History{Model: id.Model, Seed: id.Seed, Schedule: id.Schedule}
	if h.Entries, err = f.logged(id.Schedule.Steps() <= fewSteps); err != nil {
		return History{}, err
	}
	return h, nil
}

// Logged are all entries of the job's log, oldest first; none if it has not come so far yet.
func (f Folder) Logged() ([]Entry, error) { return f.logged(true) }

// logged reads the job's log, with the entries of single steps or without.
func (f Folder) logged(steps bool) ([]Entry, error) {
	path := f.path(MetricsFile)
	file, err := regular.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	entries, err := readEntries(file, steps)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return entries, nil
}

// readEntries reads a log, with the entries of single steps or without.
func readEntries(r io.Reader, steps bool) ([]Entry, error) {
	var entries []Entry
	stepStart := StepEntry.start()
	lines := bufio.NewReaderSize(r, 1<<16)
	for n := 1; ; n++ {
		line, err := readLine(lines)
		if err == io.EOF {
			return entries, nil
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if !steps && bytes.HasPrefix(line, stepStart) {
			continue
		}
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		entries = append(entries, e)
	}
}

// readLine returns the next line that has an end; io.EOF if there is none.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return line, nil
		case err != bufio.ErrBufferFull:
			return nil, err
		case len(line) > maxEntry:
			return nil, fmt.Errorf("longer than %d bytes", maxEntry)
		}
	}
}
