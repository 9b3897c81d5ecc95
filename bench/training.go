package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/bench/tensorboard"
	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/models/graph"
	"github.com/reidbench/reidbench/results"
)

// training is a job under way.
type training struct {
	*job
	pool     *parallel.Pool
	weights  *train.Weights
	position store.Position
	saved    int       // steps at the newest checkpoint
	savedAt  time.Time // when it was written, or taken up
	log      *store.Log
	board    *tensorboard.Board // nil: TensorBoard is shown nothing
	meter    *meter
	batches  *market1501.Batcher
	stop     atomic.Bool    // set when the run is to end: steps under way are given up
	teacher  *train.Program // nil if nothing is distilled

	// What was decoded of the dataset; judged is nil before this process's first evaluation.
	trainedOn, judged *market1501.Decoded
	overlap           market1501.Overlap

	// Of the stage under way.
	program   *train.Program
	optimizer *train.Optimizer
	judge     *judge
	times     *stageTimes
}

// prepare decodes the images and takes up the newest checkpoint if there is one.
func (j *job) prepare(ctx context.Context, pool *parallel.Pool) (*training, error) {
	images, err := j.data.trainImages(ctx, j.graph.Input.Shape, j.threads)
	var overlap market1501.Overlap
	if err == nil {
		overlap, err = j.data.overlap(ctx, j.threads)
	}
	if err = j.unlessChanged(ctx, err); err != nil {
		return nil, err
	}
	t := &training{
		job: j, pool: pool, weights: train.NewWeights(j.graph, j.id.Seed), saved: -1,
		trainedOn: images.seen, overlap: overlap,
	}
	t.position.Seed, t.position.Trained = j.id.Seed, images.seen.Digest()
	if t.batches, err = market1501.NewTrainBatcher(images.Images, j.batching()); err != nil {
		return nil, err
	}
	// Broken images are known only now. They may cost a step that the file names promised.
	t.id.Schedule.StepsPerEpoch = min(t.id.Schedule.StepsPerEpoch, t.batches.Batches())
	t.meter = newMeter(j.now)
	inference, err := t.compile(j.graph, t.weights, train.Inference)
	if err != nil {
		return nil, err
	}
	t.judge = &judge{j.data, j.graph, inference, j.id.Recipe.Evaluation, j.threads, market1501.ImageNet}
	if j.teacher != nil {
		if t.teacher, err = j.teacher.load(t); err != nil {
			return nil, err
		}
	}
	if err := t.resume(); err != nil {
		return nil, err
	}
	return t, nil
}

// unlessChanged returns err, or that the dataset has changed meanwhile, which would explain it.
func (j *job) unlessChanged(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	if changed := j.data.verify(ctx, j.folder); changed != nil {
		return changed
	}
	return err
}

// resume begins where the newest checkpoint was taken, or at the beginning.
func (t *training) resume() error {
	checkpoint, err := t.folder.OpenCheckpoint(func(err error) {
		t.emit(progress.Event{Kind: progress.Warned, Text: err.Error(), Err: err})
	})
	if err != nil {
		return err
	}
	t.savedAt = t.now()
	if checkpoint != nil {
		defer checkpoint.Close()
		switch at := checkpoint.Position; {
		case at.Seed != t.position.Seed:
			return fmt.Errorf("%s: %w: its checkpoint has the seed %d", t.folder.Dir, store.ErrConflict, at.Seed)
		case at.Trained != t.position.Trained:
			return t.folder.DatasetChanged(t.data.Dataset)
		}
		if err := checkpoint.RestoreNetwork(t.weights); err != nil {
			return err
		}
		t.position, t.saved = checkpoint.Position, checkpoint.Position.Steps
	} else if t.pretrained != "" {
		note, err := t.weightsSource.load(t.adoption(), t.model, t.pretrained)
		if err != nil {
			return err
		}
		if note != "" {
			t.emit(progress.Event{Kind: progress.Noted, Text: note})
		}
	}
	if t.log, err = t.folder.OpenLog(t.position.LogBytes); err != nil {
		return err
	}
	if err := t.startStage(); err != nil {
		return errors.Join(err, t.log.Close())
	}
	if checkpoint != nil && checkpoint.Position.AdamSteps > 0 {
		if err := checkpoint.RestoreOptimizer(t.optimizer, t.trained()); err != nil {
			return errors.Join(err, t.log.Close())
		}
	}
	t.openBoard()
	return nil
}

func (t *training) compile(g *graph.Graph, w *train.Weights, stage train.Stage) (*train.Program, error) {
	p, err := train.Compile(g, w, t.pool, t.options(stage, t.id.Recipe.Batch))
	if err != nil {
		return nil, err
	}
	p.Watch(&t.stop)
	return p, nil
}

// stage is that of the open epoch.
func (t *training) stage() train.Stage {
	if t.position.Epochs < t.id.Schedule.HeadEpochs {
		return train.ClassifierOnly
	}
	return train.Everything
}

// trained are the parameters that the open epoch trains.
func (t *training) trained() []*graph.Param {
	if t.stage() == train.ClassifierOnly {
		return t.graph.Classifier.Params
	}
	return t.graph.Params
}

// startStage makes the program and a fresh optimiser of the open epoch's stage.
func (t *training) startStage() (err error) {
	t.program, t.optimizer = nil, nil
	debug.FreeOSMemory() // of the former stage, or job, before the next takes its own
	if t.program, err = t.compile(t.graph, t.weights, t.stage()); err != nil {
		return err
	}
	t.optimizer = train.NewOptimizer(t.id.Recipe.Optimizer, t.weights, t.stage(), t.id.Recipe.Decay)
	t.times = watchStages(t.program, t.stage(), t.id.Schedule.Steps()-t.position.Steps)
	return nil
}

// trainEpochs trains both stages, from the position on.
func (t *training) trainEpochs(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { t.stop.Store(true) })()
	schedule := t.id.Schedule
	epochs := schedule.AllEpochs()
	t.meter.start(t.workLeft())
	t.emitState(results.StateRunning)
	if err := t.judgeInitial(ctx); err != nil {
		if ctx.Err() != nil {
			return t.interrupt(ctx)
		}
		return err
	}
	for t.position.Epochs < epochs {
		for t.position.Steps < (t.position.Epochs+1)*schedule.StepsPerEpoch {
			if ctx.Err() != nil {
				return t.interrupt(ctx)
			}
			if err := t.step(); errors.Is(err, errCutShort) {
				return t.interrupt(ctx)
			} else if err != nil {
				return err
			}
			if interval := t.keep.Interval; interval > 0 && t.now().Sub(t.savedAt) >= interval {
				if err := t.save(); err != nil {
					return err
				}
			}
		}
		if err := t.saveEnd(); err != nil {
			return err
		}
		if err := t.closeEpoch(ctx); err != nil {
			if ctx.Err() != nil {
				return t.interrupt(ctx)
			}
			return errors.Join(err, t.keepSteps())
		}
		if t.position.Epochs == schedule.HeadEpochs && t.position.Epochs < epochs {
			if err := t.startStage(); err != nil {
				return err
			}
		}
		if t.checkpointDue() && t.position.Epochs < epochs {
			if err := t.save(); err != nil {
				return err
			}
		}
	}
	_, err := t.log.Sync()
	return err
}

// stepsOfEpoch is how many steps of the open epoch are done.
func (t *training) stepsOfEpoch() int {
	return t.position.Steps - t.position.Epochs*t.id.Schedule.StepsPerEpoch
}

// rate is the learning rate of a step of the open epoch, counted from 0 over both stages.
func (t *training) rate(step int) float64 {
	r, schedule := t.id.Recipe, t.id.Schedule
	if t.stage() == train.ClassifierOnly {
		return r.Rate(t.position.Epochs, schedule.HeadEpochs)
	}
	step -= schedule.HeadEpochs * schedule.StepsPerEpoch
	full := r.Rate(t.position.Epochs-schedule.HeadEpochs, schedule.Epochs)
	return full * r.WarmedUp(max(step, 0), schedule.StepsPerEpoch)
}

// errCutShort is a step's that was given up: what counts is the one before it.
var errCutShort = errors.New("cut short")

// step trains on the next batch.
func (t *training) step() error {
	s := &t.position
	n := t.batches.Fill(t.program.Images(), t.program.Labels(), s.Epochs, t.stepsOfEpoch())
	if t.teacher != nil {
		copy(t.teacher.Images(), t.program.Images()[:n*t.graph.Input.Shape.Size()])
		if t.teacher.Forward(n); t.teacher.CutShort() {
			return errCutShort
		}
		copy(t.program.Teacher(), t.teacher.Logits(n))
	}
	loss := t.program.Train(n, uint64(s.Steps))
	if t.program.CutShort() {
		return errCutShort
	}
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		return fmt.Errorf("the loss is %v at step %d, in epoch %d: training has diverged; "+
			"a smaller learning rate may help", loss, s.Steps+1, s.Epochs+1)
	}
	correct := t.program.Correct(n)
	t.optimizer.Step(t.program, t.rate(s.Steps))

	if s.Steps++; s.Steps == 1 {
		s.FirstLoss = loss
	}
	s.LastLoss = loss
	s.Loss += loss * float64(n)
	s.Images += n
	s.Correct += correct
	t.meter.trained(n, t.stepWork())
	e := t.event(progress.Stepped)
	e.Epoch, e.Loss = s.Epochs+1, loss // while under way, an epoch counts as the one that is open
	t.note(t.entry(store.StepEntry, loss))
	t.emit(e)
	return t.times.stepped(t.job)
}

// closeEpoch evaluates if that is due, logs, and opens the next epoch. If it fails, the epoch stays open as it was.
func (t *training) closeEpoch(ctx context.Context) error {
	s := &t.position
	var metrics, final *results.Metrics
	if t.position.Epochs == t.lastEpoch() { // they stay, whatever becomes of the evaluation
		if err := t.saveWeights(); err != nil {
			return err
		}
	}
	if t.evaluationDue() {
		e, err := t.evaluate(ctx, t.judge)
		if err != nil {
			return err
		}
		t.data.warn(collapse(e.result))
		metrics = e.metrics()
		final = metrics
		if t.position.Epochs == t.lastEpoch() {
			if err := t.recordQueries(ctx, e); err != nil {
				return err
			}
			final = e.finalMetrics()
		}
		t.meter.worked(t.evaluationWork())
	}
	entry := t.entry(store.EpochEntry, s.Loss/float64(s.Images))
	entry.Correct = float64(s.Correct) / float64(s.Images)
	t.note(entry)
	event := t.event(progress.EpochEnded)
	event.Epoch, event.Loss = s.Epochs+1, entry.Loss
	t.emit(event)
	if metrics != nil {
		entry := t.entry(store.EvaluationEntry, 0)
		entry.Metrics = metrics
		t.note(entry)
		s.Final = final
		if s.Best == nil || metrics.MAP > s.Best.MAP {
			s.Best = &results.Best{Epoch: s.Epochs + 1, Metrics: *metrics}
		}
		event.Kind, event.Metrics = progress.Evaluated, metrics
		t.emit(event)
	}
	s.Epochs++
	s.Loss, s.Images, s.Correct = 0, 0, 0
	return nil
}

// evaluate judges the network as it is, by the images that it was judged by before.
func (t *training) evaluate(ctx context.Context, by *judge) (evaluation, error) {
	e, err := by.evaluate(ctx)
	if err = t.unlessChanged(ctx, err); err != nil {
		return e, err
	}
	judged := e.seen.Digest()
	if t.position.Judged != "" && t.position.Judged != judged {
		return e, t.folder.DatasetChanged(t.data.Dataset)
	}
	t.position.Judged, t.judged = judged, e.seen
	return e, nil
}

// evaluationDue reports whether the end of the open epoch is a time to evaluate.
func (t *training) evaluationDue() bool { return t.evaluated(t.position.Epochs) }

// lastEpoch is the last one of both stages, counted from 0.
func (j *job) lastEpoch() int { return j.id.Schedule.AllEpochs() - 1 }

// evaluated reports whether epoch, from 0 over both stages, ends with an evaluation.
func (j *job) evaluated(epoch int) bool {
	schedule, every := j.id.Schedule, j.id.Recipe.EvaluateEvery
	inSecond := epoch - schedule.HeadEpochs + 1
	return epoch == j.lastEpoch() || every > 0 && inSecond > 0 && inSecond%every == 0
}

// entry is one of the log, of the last step and the epoch that it belongs to.
func (t *training) entry(event store.EntryKind, loss float64) store.Entry {
	return store.Entry{
		Event: event, Stage: t.stage().String(), Epoch: t.position.Epochs + 1, Step: t.position.Steps,
		LR: t.rate(t.position.Steps - 1), Loss: loss, Timing: t.meter.timing(),
	}
}

func (t *training) emitState(state results.State) {
	e := t.event(progress.StateChanged)
	e.State = state
	t.emit(e)
}

func (t *training) event(kind progress.Kind) progress.Event {
	schedule := t.id.Schedule
	return progress.Event{
		Kind: kind, Stage: t.stage().String(),
		Epoch: t.position.Epochs, Epochs: schedule.AllEpochs(),
		Step: t.position.Steps, Steps: schedule.Steps(),
		LearningRate: t.rate(t.position.Steps - 1), ImagesPerSecond: t.meter.rate(), Left: t.meter.left(),
		Metrics: t.position.Final,
	}
}
