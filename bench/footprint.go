package bench

import (
	"errors"
	"fmt"

	"github.com/reidbench/reidbench/bench/machine"
	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/models/graph"
)

// ErrMemory is wrapped by the error of a job that does not fit into memory.
var ErrMemory = errors.New("not enough memory")

// footprint is what a job takes, in bytes, known before it takes any of it.
type footprint struct {
	own    int64 // programs, weights, what an evaluation gathers
	images int64 // the decoded train split, which jobs of one input size share
}

func (f footprint) total() int64 { return f.own + f.images }

// measure plans the job's memory with batches of a number of images.
func (j *job) measure(batch int) (footprint, error) {
	judge, err := train.Plan(j.graph, j.threads, j.options(train.Inference, batch))
	if err != nil {
		return footprint{}, err
	}
	f := footprint{own: judge.Total(), images: j.imageBytes() * int64(len(j.data.Train.Entries))}
	var largest int64
	for _, s := range []struct {
		stage  train.Stage
		epochs int
	}{{train.ClassifierOnly, j.id.Schedule.HeadEpochs}, {train.Everything, j.id.Schedule.Epochs}} {
		if s.epochs == 0 {
			continue
		}
		m, err := train.Plan(j.graph, j.threads, j.options(s.stage, batch))
		if err != nil {
			return footprint{}, err
		}
		largest = max(largest, m.Total()-m.Weights) // shared with the program for inference
	}
	f.own += largest
	if j.teacher != nil {
		g, err := j.teacher.model.Graph(j.id.Classes)
		if err != nil {
			return footprint{}, err
		}
		m, err := train.Plan(g, j.threads, j.options(train.Inference, batch))
		if err != nil {
			return footprint{}, err
		}
		f.own += m.Total()
	}
	judged := len(j.data.Query.Entries) + len(j.data.Gallery.Entries)
	features := 2 * 4 * int64(judged*j.graph.Features.Shape.C) // twice while they grow
	decoded := j.imageBytes() * int64(min(chunk, max(len(j.data.Query.Entries), len(j.data.Gallery.Entries))))
	f.own += max(features+decoded, j.largestTensor()) // an evaluation, or a tensor on its way into a checkpoint
	return f, nil
}

func (j *job) imageBytes() int64 { return int64(j.graph.Input.Shape.Size()) }

func (j *job) largestTensor() int64 {
	var largest int64
	for _, params := range [][]*graph.Param{j.graph.Params, j.graph.Buffers} {
		for _, p := range params {
			largest = max(largest, 4*int64(p.Size()))
		}
	}
	return largest
}

// fits reports whether there is room for the job, as far as is known.
func (j *job) fits() bool { return j.room == 0 || j.footprint.own <= j.room }

// refuseIfTooLarge is an error that wraps ErrMemory, and says what would fit, unless the job does.
func (j *job) refuseIfTooLarge() error {
	if j.fits() {
		return nil
	}
	batch := j.id.Recipe.Batch
	help := "no smaller batch fits either"
	for smaller := batch / 2; smaller >= 2; smaller /= 2 {
		f, err := j.measure(smaller)
		if err != nil {
			return err
		}
		if f.own <= j.room {
			help = fmt.Sprintf("--batch %d takes %s", smaller, machine.Bytes(f.own))
			break
		}
	}
	return fmt.Errorf("%w: batches of %d take %s, and %s are available beside the decoded images; %s",
		ErrMemory, batch, machine.Bytes(j.footprint.own), machine.Bytes(max(j.room, 0)), help)
}
