package bench

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/reidbench/reidbench/bench/machine"
	"github.com/reidbench/reidbench/bench/measure"
	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/flops"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/models/graph"
	"github.com/reidbench/reidbench/results"
	"github.com/reidbench/reidbench/results/atomicfile"
)

// job is the way of one model, with one seed, from images to a record.
type job struct {
	model   models.Model
	id      store.Identity
	folder  store.Folder
	tenancy store.Tenancy // of the folder, while the job runs
	threads int
	data    *dataset
	alone   bool // no other job runs at the same time
	untimed bool // other work runs at the same time: speed and time say nothing
	keep    Checkpoints
	teacher *teacherFolder // nil if the model is not distilled
	// tensorBoard is the folder in which TensorBoard is shown the log; "": it is not.
	tensorBoard string
	pretrained  string // the file of weights to begin with; "": random ones
	report      func(progress.Event)

	weightsSource WeightsSource     // of pretrained
	inferrer      *measure.Inferrer // of all jobs; nil: what using the model costs is not measured
	now           func() time.Time

	footprint footprint
	room      int64 // what all jobs together may take, in bytes; 0: unknown

	graph   *graph.Graph
	cost    flops.Report
	unbuilt error // why the model cannot be trained: no graph, no costs, or no program of it
}

// newJob resolves what there is to do, without doing anything. A model whose graph cannot
// be built makes a job that fails.
func newJob(model models.Model, seed uint64, c *Config, data *dataset) *job {
	model = model.As(c.Recipe.Variant())
	j := &job{
		model: model, data: data, weightsSource: c.WeightsSource,
		folder: c.folder(model, seed),
		id: store.Identity{
			Format: store.IdentityFormat, Model: model.Name, Recipe: c.Recipe,
			Seed: seed, Dataset: data.record.Fingerprint, Classes: data.Classes,
		},
	}
	if j.graph, j.unbuilt = model.Graph(data.Classes); j.unbuilt != nil {
		return j
	}
	if j.cost, j.unbuilt = flops.Count(j.graph); j.unbuilt != nil {
		return j
	}
	batches := c.Recipe.Sampler.Batches(data.Train.Entries, c.Recipe.Batch)
	j.id.Schedule = c.Recipe.Schedule(j.cost.Total.MACs(), batches)
	return j
}

// adoption is that of weights that the training begins with.
func (t *training) adoption() *adoption {
	return &adoption{weights: t.weights, graph: t.graph, train: true}
}

// emit reports an event of this job.
func (j *job) emit(e progress.Event) {
	e.Job = j.folder.Name()
	j.report(e)
}

func (j *job) warn(text string) { j.emit(progress.Event{Kind: progress.Warned, Text: text}) }

// panicFile has the stack of a job that panicked.
const panicFile = "panic.txt"

// runRecorded trains and evaluates. Its record is written whether it succeeds or fails; an
// interruption leaves a checkpoint and no record, and returns ctx's error.
func (j *job) runRecorded(ctx context.Context) (record results.Record, err error) {
	started := j.now()
	defer func() { err = errors.Join(err, j.tenancy.End()) }()
	record = results.Record{
		Format: results.Format,
		Model:  j.model.Name, Row: j.model.Row, Pretrained: j.id.Pretrained,
		Seed: j.id.Seed, Dataset: j.data.record, Machine: machine.Describe(),
		Cost: results.Cost{
			Params: j.cost.Total.Params, MACs: j.cost.Total.ConvMACs + j.cost.Total.LinearMACs,
			MatmulMACs:  j.cost.Total.MatMulMACs,
			PaperParams: j.cost.Total.PaperParams, PaperMACs: j.cost.Total.PaperMACs,
		},
	}
	recipe, err := results.NewRecipe(j.id.Recipe.Name, j.id.Recipe)
	if err != nil {
		return record, err
	}
	record.Recipe = recipe
	if err := atomicfile.RemovePartial(j.folder.Dir); err != nil {
		return record, err
	}

	// The system counts the whole process: a peak is this job's only if there is no other,
	// and if what came before is gone.
	debug.FreeOSMemory()
	measured := j.alone && machine.ResetPeakMemory() == nil
	err = parallel.Guard(func() error { return j.trainWeights(ctx, &record) })
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return record, err
	}
	finished := j.now()
	record.Timing.Started, record.Timing.Finished = started, finished
	if !j.untimed {
		record.Timing.WallSeconds = finished.Sub(started).Seconds()
	}
	if measured {
		record.Memory.PeakBytes = machine.PeakMemory()
	}
	if errors.Is(err, store.ErrReplaced) {
		return record, err // the record's place is not ours
	}
	if err != nil {
		record.State, record.Reason = results.StateFailed, err.Error()
		var panicked interface{ Stack() []byte }
		if errors.As(err, &panicked) {
			err = errors.Join(err, j.writeStack(panicked.Stack()))
		}
		return record, errors.Join(err, results.Write(j.folder.Dir, record))
	}
	if err := j.measureInference(ctx, &record); err != nil {
		return record, err
	}
	record.State = results.StateDone
	if err := results.Write(j.folder.Dir, record); err != nil {
		return record, err
	}
	return record, j.folder.Clear(j.lastKept(), j.keep.Every)
}

// writeStack says where the job has panicked.
func (j *job) writeStack(stack []byte) error {
	return atomicfile.Write(filepath.Join(j.folder.Dir, panicFile), func(w io.Writer) error {
		_, err := w.Write(stack)
		return err
	})
}

// trainWeights is runRecorded without the record's frame: it trains, and keeps the weights in the folder.
func (j *job) trainWeights(ctx context.Context, record *results.Record) (err error) {
	if j.unbuilt != nil {
		return j.unbuilt
	}
	if err := j.meetTeacher(record); err != nil {
		return err
	}
	if err := j.folder.Claim(j.id, j.data.Dataset); err != nil {
		return err
	}
	if j.tenancy, err = j.folder.Occupy(); err != nil {
		return err
	}
	if err := j.refuseIfTooLarge(); err != nil {
		return err
	}
	pool := parallel.NewPool(j.threads)
	defer pool.Close()
	t, err := j.prepare(ctx, pool)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.log.Close()) }()
	defer t.closeBoard()
	err = t.trainEpochs(ctx)
	record.Epochs, record.Final, record.Best = t.position.Epochs, t.position.Final, t.position.Best
	record.Initial = t.position.Initial
	if t.position.Steps > 0 {
		record.Loss = &results.LossRange{First: t.position.FirstLoss, Last: t.position.LastLoss}
	}
	record.Images = imagesSeen(t.data, t.trainedOn, t.judged, t.overlap)
	record.Memory.PlannedBytes = j.footprint.total()
	if !j.untimed {
		record.Timing.ImagesPerSecond = t.meter.trainRate()
	}
	if err != nil {
		return err
	}
	if err := j.tenancy.Check(); err != nil {
		return err
	}
	record.Weights, err = j.folder.WeightsDigest()
	return err
}
