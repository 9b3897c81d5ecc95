package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/results"
	"github.com/reidbench/reidbench/results/atomicfile"
	"github.com/reidbench/reidbench/results/regular"
)

// ErrConflict is wrapped by the error for a folder that holds a run of another recipe, seed or
// other setting: neither can it be continued nor may it be overwritten.
var ErrConflict = errors.New("the folder holds another run")

// identityFile says what a job's folder is about. It is written first.
const identityFile = "run.json"

// IdentityFormat names the layout of an identity; one of another format is refused.
const IdentityFormat = "reidbench-run/1"

// An Identity is everything that the bits of a job's result depend on, besides the
// binary and the machine's ISA.
type Identity struct {
	Format  string `json:"format"` // IdentityFormat
	Model   string `json:"model"`
	Teacher string `json:"teacher,omitempty"` // the model that a distilled row learns from
	// TaughtBy is what the teacher was when training began; nil: it had not finished yet, or the run is from before
	// that was recorded.
	TaughtBy *results.Teacher `json:"taught_by,omitempty"`
	// Pretrained is the file that the training began with; nil: random weights.
	Pretrained *results.Pretrained `json:"pretrained,omitempty"`
	Recipe     recipe.Recipe       `json:"recipe"`
	Schedule   recipe.Schedule     `json:"schedule"` // what the recipe comes to for this model and dataset
	Seed       uint64              `json:"seed"`
	Dataset    string              `json:"dataset"` // fingerprint
	Classes    int                 `json:"classes"`
}

// Identity returns what the folder is about, nil if it is no job's yet.
func (f Folder) Identity() (*Identity, error) {
	path := f.path(identityFile)
	data, err := regular.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var id Identity
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	decoder.UseNumber() // the teacher's recipe keeps its digits
	if err := decoder.Decode(&id); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if id.Format != IdentityFormat {
		return nil, fmt.Errorf("read %s: format %q, want %q", path, id.Format, IdentityFormat)
	}
	return &id, nil
}

// writeIdentity makes the folder that of this job.
func (f Folder) writeIdentity(id Identity) error {
	return atomicfile.Write(f.path(identityFile), func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(id)
	})
}

// onDatasetOf is the identity with everything that depends on the images taken from another.
func (id Identity) onDatasetOf(other Identity) Identity {
	id.Dataset, id.Classes, id.Schedule = other.Dataset, other.Classes, other.Schedule
	return id
}

// conflict is the error that names what differs between the job and the one that dir
// holds, nil if nothing does. What only one of them knows of the teacher is no difference.
func (id Identity) conflict(dir string, recorded Identity) error {
	if id.TaughtBy == nil || recorded.TaughtBy == nil {
		id.TaughtBy, recorded.TaughtBy = nil, nil
	}
	was, is := recorded.fields(), id.fields()
	for field := range was {
		if _, ok := is[field]; !ok {
			is[field] = "absent"
		}
	}
	var differences []string
	for _, field := range slices.Sorted(maps.Keys(is)) {
		before, ok := was[field]
		if !ok {
			before = "absent"
		}
		if before != is[field] {
			differences = append(differences, fmt.Sprintf("%s is %s, there %s", field, is[field], before))
		}
	}
	if len(differences) == 0 {
		return nil
	}
	return fmt.Errorf("%s: %w: %s; choose another folder for the results or remove this one",
		dir, ErrConflict, strings.Join(differences, "; "))
}

// fields are the values by their name in the file, those of nested objects with a dot.
func (id Identity) fields() map[string]string {
	data, err := json.Marshal(id)
	if err != nil {
		panic(fmt.Sprintf("store: an identity does not encode: %v", err))
	}
	fields := map[string]string{}
	var flatten func(prefix string, data json.RawMessage)
	flatten = func(prefix string, data json.RawMessage) {
		var object map[string]json.RawMessage
		if json.Unmarshal(data, &object) != nil {
			fields[prefix] = string(data)
			return
		}
		for key, value := range object {
			flatten(strings.TrimPrefix(prefix+"."+key, "."), value)
		}
	}
	flatten("", data)
	return fields
}
