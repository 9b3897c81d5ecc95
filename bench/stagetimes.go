package bench

import (
	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/flops"
	"github.com/reidbench/reidbench/models/graph"
	"github.com/reidbench/reidbench/results"
)

// stageTimes watches where the time of a job's first training steps goes. It looks at a clock
// around each kernel call, which changes nothing in the results.
type stageTimes struct {
	program *train.Program
	profile *train.Profile
	warmUp  int // steps left that touch memory for the first time
	steps   int // that are measured
	left    int // of them
}

// watchedSteps are enough to tell stages apart, and few enough to be over soon.
const watchedSteps = 4

// watchStages watches a program that has a number of steps to train; nil: there is nothing to watch.
func watchStages(p *train.Program, stage train.Stage, steps int) *stageTimes {
	if stage != train.Everything || steps < 1 {
		return nil
	}
	w := &stageTimes{program: p, warmUp: min(1, steps-1)}
	w.steps = min(watchedSteps, steps-w.warmUp)
	w.left = w.steps
	if w.warmUp == 0 {
		w.profile = p.StartProfile()
	}
	return w
}

// stepped counts a step, and writes the profile after the last one that is watched.
func (w *stageTimes) stepped(j *job) error {
	switch {
	case w == nil || w.left == 0:
		return nil
	case w.warmUp > 0:
		w.warmUp--
		w.profile = w.program.StartProfile()
		return nil
	}
	if w.left--; w.left > 0 {
		return nil
	}
	w.program.StopProfile()
	if err := j.tenancy.Check(); err != nil {
		return err
	}
	return results.WriteProfile(j.folder.Dir, results.Profile{
		Batch: w.program.Batch(), Threads: j.threads, Steps: w.steps,
		Stages: timesByStage(w.profile, j.cost.Stages(), w.steps),
	})
}

// timesByStage sums what a profile has of each stage's layers, per step.
func timesByStage(p *train.Profile, stages []flops.Stage, steps int) []results.StageTime {
	times := make([]results.StageTime, len(stages))
	of := map[*graph.Node]*results.StageTime{}
	for i, s := range stages {
		times[i].Stage = s.Name
		for _, n := range s.Nodes {
			of[n] = &times[i]
		}
	}
	for _, spent := range p.Steps() {
		seconds := spent.Time.Seconds() / float64(steps)
		if spent.Phase == train.Forward {
			of[spent.Node].Forward += seconds
		} else {
			of[spent.Node].Backward += seconds
		}
	}
	return times
}
