package bench

import (
	"time"

	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/bench/store"
)

// A meter tells how fast a job is and how long it will take. Work is counted in
// forward passes of an image: what lies ahead is a mixture of frozen and whole
// training steps and evaluations, which cost differently.
type meter struct {
	now        func() time.Time
	began      time.Time // this process's work
	last       time.Time // the end of the last piece of work
	done, todo float64   // work since began, and all that there was to do then

	images  int           // trained on
	busy    time.Duration // in training steps
	current float64       // images a second, smoothed
}

func newMeter(now func() time.Time) *meter { return &meter{now: now} }

// start sets the clock; work is all that lies ahead.
func (m *meter) start(work float64) {
	m.began = m.now()
	m.last, m.todo = m.began, work
}

// smoothing is the weight of the newest step in the rate that is shown.
const smoothing = 0.2

// trained counts a step on n images.
func (m *meter) trained(n int, work float64) {
	took := m.worked(work)
	m.images += n
	m.busy += took
	if took <= 0 {
		return
	}
	now := float64(n) / took.Seconds()
	if m.current == 0 {
		m.current = now
	}
	m.current += smoothing * (now - m.current)
}

// worked counts any work and returns the time that it took.
func (m *meter) worked(work float64) time.Duration {
	now := m.now()
	took := now.Sub(m.last)
	m.last = now
	m.done += work
	return took
}

// rate is how many images a second are trained on now.
func (m *meter) rate() float64 { return m.current }

// trainRate is how many images a second were trained on, evaluations left out.
func (m *meter) trainRate() float64 {
	if m.busy <= 0 {
		return 0
	}
	return float64(m.images) / m.busy.Seconds()
}

// left estimates the time until all work is done, 0 before there is anything to go by.
func (m *meter) left() time.Duration {
	if m.done == 0 {
		return 0
	}
	spent := m.last.Sub(m.began)
	return time.Duration(float64(spent) / m.done * max(m.todo-m.done, 0))
}

func (m *meter) timing() *store.Timing {
	return &store.Timing{
		ImagesPerSecond: m.current, Seconds: m.last.Sub(m.began).Seconds(), SecondsLeft: m.left().Seconds(),
	}
}

// stepWork is a step of the open epoch: forward and, beyond the classifier, twice backward.
func (t *training) stepWork() float64 { return t.workOf(t.position.Epochs) }

func (t *training) workOf(epoch int) float64 {
	passes := recipe.TrainPasses
	if epoch < t.id.Schedule.HeadEpochs {
		passes = recipe.FrozenPasses
	}
	return float64(passes * t.id.Recipe.Batch)
}

func (j *job) evaluationWork() float64 {
	return float64((len(j.data.Query.Entries) + len(j.data.Gallery.Entries)) * j.id.Recipe.Evaluation.Passes())
}

// workLeft is all work from the open epoch's next step on.
func (t *training) workLeft() float64 {
	schedule, work := t.id.Schedule, 0.0
	if t.position.Steps == 0 && t.initialDue() {
		work += t.evaluationWork()
	}
	for epoch := t.position.Epochs; epoch < schedule.HeadEpochs+schedule.Epochs; epoch++ {
		steps := schedule.StepsPerEpoch
		if epoch == t.position.Epochs {
			steps -= t.position.Steps - epoch*steps
		}
		work += float64(steps) * t.workOf(epoch)
		if t.evaluated(epoch) {
			work += t.evaluationWork()
		}
	}
	return work
}
