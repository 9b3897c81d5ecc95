package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"

	"github.com/reidbench/reidbench/results/atomicfile"
	"github.com/reidbench/reidbench/results/regular"
)

// ProfileFile is the name of a profile in its run's folder.
const ProfileFile = "profile.json"

// ProfileFormat names the layout of a profile; one of another format is refused.
const ProfileFormat = "reidbench-profile/1"

// Profile is where the time of a run's training steps went, measured over a few of them. Adam's part is not in it.
type Profile struct {
	Format  string      `json:"format"`
	Batch   int         `json:"batch"`   // images in a step
	Threads int         `json:"threads"` // that shared the work
	Steps   int         `json:"steps"`   // that were measured
	Stages  []StageTime `json:"stages"`  // in the network's order
}

// StageTime is one stage's part of a step, in seconds.
type StageTime struct {
	Stage    string  `json:"stage"`
	Forward  float64 `json:"forward"`
	Backward float64 `json:"backward"`
}

// Seconds is the time of a whole step.
func (p Profile) Seconds() float64 {
	sum := 0.0
	for _, s := range p.Stages {
		sum += s.Forward + s.Backward
	}
	return sum
}

// WriteProfile stores the profile as dir/profile.json, whole or not at all. It fills in the format.
func WriteProfile(dir string, p Profile) error {
	path := filepath.Join(dir, ProfileFile)
	p.Format = ProfileFormat
	if err := p.validate(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(p)
	})
}

// ReadProfile returns the profile in dir/profile.json. The error is fs.ErrNotExist where none was recorded.
func ReadProfile(dir string) (Profile, error) {
	path := filepath.Join(dir, ProfileFile)
	f, err := regular.Open(path)
	if err != nil {
		return Profile{}, err
	}
	defer f.Close()
	p, err := parseProfile(f)
	if err != nil {
		return Profile{}, fmt.Errorf("read %s: %w", path, err)
	}
	return p, nil
}

func parseProfile(r io.Reader) (Profile, error) {
	var p Profile
	if err := decodeStrictly(io.LimitReader(r, maxRecordBytes), &p); err != nil {
		return Profile{}, err
	}
	return p, p.validate()
}

func (p Profile) validate() error {
	if p.Format != ProfileFormat {
		return fmt.Errorf("format is %q, want %q", p.Format, ProfileFormat)
	}
	if p.Batch < 1 || p.Threads < 1 || p.Steps < 1 || len(p.Stages) == 0 {
		return errors.New("nothing was measured")
	}
	for _, s := range p.Stages {
		for _, seconds := range []float64{s.Forward, s.Backward} {
			if !(seconds >= 0) || math.IsInf(seconds, 0) {
				return fmt.Errorf("stage %s took %v seconds", s.Stage, seconds)
			}
		}
	}
	return nil
}
