package bench

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/reidbench/reidbench/bench/machine"
	"github.com/reidbench/reidbench/bench/measure"
	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/models"
)

// Config says what to run.
type Config struct {
	Out     string       // the folder of results, one folder per job in it
	Data    string       // a dataset's folder, or a list of images; "": the recipe's synthetic one, drawn below Out
	Layout  string       // of the dataset's names, as [market1501.Opener] takes it; "": the one that most have
	Weights WeightsFiles // to begin with; none: random ones
	// WeightsSource says whose the files are, where they don't.
	WeightsSource WeightsSource
	Models        []models.Model // a job each, with each seed
	Recipe        recipe.Recipe
	Seed          uint64 // of all that is drawn at random
	Seeds         int    // runs of each model, with Seed, Seed+1, …; 0: one. The synthetic dataset is Seed's in all

	Jobs    int    // side by side at most, as memory allows, with a thread each at least; 0: one
	Threads int    // of all jobs together; 0: one per CPU. Results do not depend on it
	Memory  int64  // bytes that all jobs together may take; 0: what [machine.MemoryBound] leaves
	Teacher string // the model that distilled rows learn from; "": [models.DefaultTeacher]
	// AwaitTeacher has a distilled job whose teacher is not of this run wait for its record, as long as that takes:
	// another process trains it.
	AwaitTeacher bool
	// Untimed leaves speed and time out of the records: they say nothing where other work runs beside this.
	Untimed bool
	// Inference has every record say what using the model costs, measured after its training for a few seconds, unless
	// jobs run side by side.
	Inference bool

	Checkpoints Checkpoints

	// TensorBoard is a folder, made if need be, that gets event files of every job in a folder of the job's name;
	// "": none. What becomes of them changes nothing of a run.
	TensorBoard string

	Progress progress.Reporter // may be nil
	Now      func() time.Time  // the clock of progress and records; nil: the real one
}

// Checkpoints says when a training's state is written, beside what the recipe says, and what stays
// of it. No result depends on it.
type Checkpoints struct {
	Interval time.Duration // the longest that a training goes on without one; 0: the epochs of the recipe alone
	// Newest is how many stay until the job is done; below 1: two, so that there is one before the newest.
	Newest int
	Every  int // after how many epochs one is written that stays when the job is done; 0: none
}

// planningBytes is what it takes to find out what jobs take.
const planningBytes = 64 << 20

// complete fills in defaults and refuses what cannot be run.
func (c *Config) complete() error {
	if c.Progress == nil {
		c.Progress = progress.Silent{}
	}
	if c.Now == nil {
		c.Now = measure.Now
	}
	c.Threads = machine.Threads(c.Threads)
	c.Seeds = max(c.Seeds, 1)
	c.Jobs = min(max(c.Jobs, 1), max(c.Seeds*len(c.Models), 1), c.Threads)
	if c.Memory < 1 {
		if bound, known := machine.MemoryBound(); known {
			if c.Memory = bound.Left(); c.Memory < planningBytes {
				return tooLittleToPlan(bound)
			}
		}
	}
	if c.Checkpoints.Newest < 1 {
		c.Checkpoints.Newest = 2
	}
	if c.Data != "" {
		c.Recipe.Synthetic = recipe.SyntheticSize{}
	}
	if c.Teacher == "" {
		c.Teacher = models.DefaultTeacher
	}
	if last := c.Seed + uint64(c.Seeds-1); last < c.Seed {
		return fmt.Errorf("%w %q: there are no %d seeds from %d on", recipe.ErrUnusable, c.Recipe.Name, c.Seeds, c.Seed)
	}
	if len(c.Models) == 0 {
		return errors.New("no models to run")
	}
	seen := map[string]bool{}
	for _, m := range c.Models {
		if seen[m.Name] {
			return fmt.Errorf("model %s is named twice", m.Name)
		}
		seen[m.Name] = true
	}
	if err := c.Recipe.Precision.Available(); err != nil {
		return err
	}
	return c.Recipe.Validate()
}

// tooLittleToPlan is the error where not even planning has room.
func tooLittleToPlan(b machine.Bound) error {
	return fmt.Errorf("%w: %s is %s, and at least %s are needed: %s that are in use already, and %s to plan with",
		ErrMemory, b.Of, machine.Bytes(b.Limit), machine.Bytes(b.Taken+planningBytes), machine.Bytes(b.Taken),
		machine.Bytes(planningBytes))
}

func (c *Config) threadsOfJob() int { return max(c.Threads/c.Jobs, 1) }

// folder is that of a job: OUT/<model> of the first seed, OUT/<model>@<seed> of the others.
func (c *Config) folder(model models.Model, seed uint64) store.Folder {
	name := model.Name
	if seed != c.Seed {
		name = fmt.Sprintf("%s@%d", name, seed)
	}
	return store.Folder{Dir: filepath.Join(c.Out, name)}
}
