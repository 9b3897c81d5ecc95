package bench

import (
	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/models"
)

// loss is what the model learns from.
func (j *job) loss() train.Loss {
	smoothing := j.id.Recipe.LabelSmoothing
	switch j.model.Distill {
	case models.HardDistillation:
		return train.HardDistillation{Smoothing: smoothing}
	case models.SoftDistillation:
		return train.SoftDistillation{Tau: 3, Lambda: 0.1, Smoothing: smoothing}
	}
	return train.CrossEntropy{Smoothing: smoothing}
}

// batching is how the training's batches are made.
func (j *job) batching() market1501.Training {
	r := j.id.Recipe
	return market1501.Training{
		Batch: r.Batch, Seed: j.id.Seed, Sampler: r.Sampler,
		Augmentation: market1501.Augmentation{Erasing: r.Erasing, PadCrop: r.PadCrop},
	}
}

// options are those of the job's programs.
func (j *job) options(stage train.Stage, batch int) train.Options {
	r := j.id.Recipe
	return train.Options{
		Batch: batch, Stage: stage, Seed: j.id.Seed, Loss: j.loss(), Triplet: r.Triplet, Precision: r.Precision,
	}
}
