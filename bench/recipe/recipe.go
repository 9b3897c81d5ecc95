// Package recipe says with which values models are trained, for how long, and how they are judged.
package recipe

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/models"
)

// A Recipe is a named set of training values. Two stages are trained, each by an
// optimiser of its own: the classifier alone for HeadEpochs, then everything for Epochs.
type Recipe struct {
	Name string `json:"name"`

	HeadEpochs int `json:"head_epochs"` // classifier only, the backbone frozen
	Epochs     int `json:"epochs"`      // everything
	Batch      int `json:"batch"`

	// Sampler is what batches are made of; zero, and not recorded, all images in an order of the epoch's.
	Sampler market1501.Sampler `json:"sampler,omitzero"`

	// Erasing and PadCrop vary images as those of [market1501.Augmentation] do; zero, and not recorded, not at all.
	Erasing float64 `json:"random_erasing,omitzero"`
	PadCrop int     `json:"pad_crop,omitzero"`

	// Optimizer is the rule by which weights follow their gradients; zero, and not recorded, Adam.
	Optimizer train.Rule `json:"optimizer,omitzero"`

	LR      float64 `json:"lr"`
	LRStep  int     `json:"lr_step"`  // the rate is multiplied by LRGamma every LRStep epochs of a stage; 0: never
	LRGamma float64 `json:"lr_gamma"` //
	// Annealing is how the rate falls in a stage; zero, and not recorded, by LRStep and LRGamma.
	Annealing Annealing `json:"annealing,omitzero"`

	// Warmup is how many epochs of the second stage the rate takes to rise, in equal steps from next to nothing: what
	// begins at random and has no batch norm, or attention, otherwise ends up where no gradient leads out of.
	Warmup int     `json:"warmup_epochs,omitzero"`
	Decay  float64 `json:"weight_decay"`

	// LabelSmoothing is the part of every label that is spread over all classes; zero, and not recorded, none.
	LabelSmoothing float64 `json:"label_smoothing,omitzero"`

	// Triplet is the loss of the features beside that of the logits, in the second stage; zero, and not recorded, none.
	Triplet train.Triplet `json:"triplet,omitzero"`

	// Neck has a batch norm between features and classifier, see [graph.Builder.Neck]; zero is not recorded.
	Neck bool `json:"bnneck,omitzero"`

	// LastStride is 1 where the last stage of networks that have one keeps its resolution, see
	// [graph.Builder.WithoutLastStride]; zero, and not recorded, as published.
	LastStride int `json:"last_stride,omitzero"`

	// InputSize is that of images, for all networks; zero, and not recorded, as published.
	InputSize models.ImageSize `json:"input_size,omitzero"`

	EvaluateEvery   int `json:"evaluate_every"`   // epochs of the second stage; 0: only at its end
	CheckpointEvery int `json:"checkpoint_every"` // epochs of either stage; 0: only when interrupted

	// ForwardMACs is a budget for models that cost very different amounts: the multiply-adds that a training may
	// take, counted as [FrozenPasses] forward passes per image in the first stage and [TrainPasses] in the second.
	// [Recipe.Schedule] cuts epochs, then the steps of each, to keep within. 0: no limit.
	ForwardMACs int64 `json:"forward_macs"`

	// Precision is what large products are multiplied in, in training and in evaluation; zero, and not recorded, fp32.
	Precision gemm.Precision `json:"precision,omitzero"`

	// Evaluation is how embeddings are made and compared; zero, and not recorded, as published.
	Evaluation Protocol `json:"evaluation,omitzero"`

	// Synthetic is the dataset that is drawn where none is given; zero for a run on a given one.
	Synthetic SyntheticSize `json:"synthetic,omitzero"`
}

// The cost of a training step in forward passes of its batch.
const (
	FrozenPasses = 1 // the classifier's own gradients cost next to nothing
	TrainPasses  = 3 // forward, and backward by the data and by the weights
)

// DefaultBatch is how many images a batch has where neither a recipe nor a flag says.
const DefaultBatch = 32

// SyntheticSize is the extent of a synthetic dataset.
type SyntheticSize struct {
	IDs     int `json:"ids"`      // identities
	TestIDs int `json:"test_ids"` // of these are tested, the others trained on
	Images  int `json:"images"`   // per identity
}

// Folder is the name of the folder of the dataset of this extent and seed.
func (s SyntheticSize) Folder(seed uint64) string {
	return fmt.Sprintf("synthetic-%d+%dx%d-seed%d", s.IDs-s.TestIDs, s.TestIDs, s.Images, seed)
}

// ErrUnusable is wrapped by errors about values that no training can follow, and
// about names that no recipe has.
var ErrUnusable = errors.New("unusable recipe")

// Paper is the recipe of the published comparison.
func Paper() Recipe {
	return Recipe{
		Name:       "paper",
		HeadEpochs: 10, Epochs: 150, Batch: 64,
		LR: 5e-4, LRStep: 50, LRGamma: 0.1, Decay: 5e-4,
		EvaluateEvery: 10, CheckpointEvery: 10,
		Synthetic: SyntheticSize{IDs: 96, TestIDs: 32, Images: 12},
	}
}

// Quick is the default: a training that any laptop finishes. All published rows
// together cost 125 GMACs a forward pass, and its budget keeps their sum, with what is
// measured beside, below eight minutes on two cores that have AVX2. The small models train
// for some epochs and learn something, the largest see a batch or two: figures of this
// recipe compare nothing. As in Scratch the classifier has no stage of its own.
func Quick() Recipe {
	return Recipe{
		Name:   "quick",
		Epochs: 12, Batch: 8,
		LR: 1e-4, LRStep: 9, LRGamma: 0.1, Decay: 5e-4,
		ForwardMACs: 200e9,
		Synthetic:   SyntheticSize{IDs: 30, TestIDs: 6, Images: 6},
	}
}

// Scratch is for learning from random weights on synthetic data: all rows see the same images in the same
// order, as often, and the best know people whom they never saw. Small batches, since every step counts where there
// are so few; no stage of its own for the classifier, whose gradients say nothing while the backbone is random; a
// rate that transformers, and networks without batch norm, bear when it rises slowly; and a lower one at the end, in
// which running statistics catch up, too.
func Scratch() Recipe {
	return Recipe{
		Name:   "scratch",
		Epochs: 10, Batch: 8,
		LR: 3e-4, LRStep: 8, LRGamma: 0.1, Warmup: 2, Decay: 5e-4,
		EvaluateEvery: 2,
		Synthetic:     SyntheticSize{IDs: 150, TestIDs: 50, Images: 10},
	}
}

// Strong is what people deploy: the tricks of Luo et al. (CVPRW 2019, "Bag of Tricks and A Strong Baseline for Deep
// Person Re-identification"), without the center loss. The rate falls every 40 epochs; theirs does after 40 and 70.
func Strong() Recipe {
	return Recipe{
		Name:   "strong",
		Epochs: 120, Batch: 64, Sampler: market1501.Identities,
		Erasing: 0.5, PadCrop: 10,
		LR: 3.5e-4, LRStep: 40, LRGamma: 0.1, Warmup: 10, Decay: 5e-4,
		LabelSmoothing: 0.1, Triplet: train.Triplet{Margin: 0.3}, Neck: true, LastStride: 1,
		EvaluateEvery: 10, CheckpointEvery: 10,
		Evaluation: Protocol{Metric: market1501.Cosine},
		Synthetic:  SyntheticSize{IDs: 96, TestIDs: 32, Images: 12},
	}
}

// Tiny takes seconds: enough to see that everything works, too little to learn anything.
func Tiny() Recipe {
	return Recipe{
		Name:       "tiny",
		HeadEpochs: 1, Epochs: 1, Batch: 4,
		LR: 5e-4, Decay: 5e-4,
		ForwardMACs: 20e9,
		Synthetic:   SyntheticSize{IDs: 8, TestIDs: 4, Images: 4},
	}
}

// All lists the named recipes, the default first.
func All() []Recipe { return []Recipe{Quick(), Scratch(), Paper(), Strong(), Tiny()} }

// Named returns the recipe of that name.
func Named(name string) (Recipe, error) {
	var names []string
	for _, r := range All() {
		if r.Name == name {
			return r, nil
		}
		names = append(names, r.Name)
	}
	return Recipe{}, fmt.Errorf("%w: none is called %q, there are %s", ErrUnusable, name, strings.Join(names, ", "))
}

// WithEpochs replaces the epochs of the second stage, and lifts the budget that
// would cut them.
func (r Recipe) WithEpochs(epochs int) Recipe {
	r.Epochs, r.ForwardMACs = epochs, 0
	return r
}

// most is beyond all use, as a number of epochs and of images in a batch; sums and products of such do not overflow.
const most = 1 << 20

// Variant is in what networks depart from the published ones under this recipe.
func (r Recipe) Variant() models.Variant {
	return models.Variant{Neck: r.Neck, LastStride: r.LastStride, Input: r.InputSize}
}

// mostPadding is beyond the size of images.
const mostPadding = 1000

// perPerson is how many images of a person a batch has where it is made of people.
const perPerson = market1501.ImagesOfIdentity

// Validate reports what makes the recipe unusable.
func (r Recipe) Validate() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w %q: %s", ErrUnusable, r.Name, fmt.Sprintf(format, args...))
	}
	positive := func(v float64) bool { return v > 0 && !math.IsInf(v, 0) }
	switch {
	case r.HeadEpochs < 0 || r.HeadEpochs > most || r.Epochs < 0 || r.Epochs > most || r.HeadEpochs+r.Epochs == 0:
		return bad("%d and %d epochs", r.HeadEpochs, r.Epochs)
	case r.Batch < 2:
		return bad("batches of %d images; training needs at least 2", r.Batch)
	case r.Batch > most:
		return bad("batches of %d images", r.Batch)
	case r.Sampler == market1501.Identities && (r.Batch < 2*perPerson || r.Batch%perPerson != 0):
		return bad("batches of %d images; with %d of each person, %d or %d are some",
			r.Batch, perPerson, 2*perPerson, 16*perPerson)
	case !(r.Erasing >= 0 && r.Erasing <= 1):
		return bad("a part of %v of the images erased", r.Erasing)
	case r.PadCrop < 0 || r.PadCrop > mostPadding:
		return bad("images padded by %d pixels", r.PadCrop)
	case !positive(r.LR):
		return bad("a learning rate of %v", r.LR)
	case r.LRStep < 0 || r.LRStep > 0 && !positive(r.LRGamma):
		return bad("a learning rate times %v every %d epochs", r.LRGamma, r.LRStep)
	case r.Warmup < 0 || r.Warmup > most:
		return bad("a warm-up of %d epochs", r.Warmup)
	case r.Decay < 0 || math.IsNaN(r.Decay) || math.IsInf(r.Decay, 0):
		return bad("a weight decay of %v", r.Decay)
	case !(r.LabelSmoothing >= 0 && r.LabelSmoothing < 1):
		return bad("labels smoothed by %v; it is from 0 to less than 1", r.LabelSmoothing)
	case r.Triplet != (train.Triplet{}) && r.Sampler != market1501.Identities:
		return bad("a triplet loss needs several images of a person in a batch; the sampler %v has them",
			market1501.Identities)
	case r.LastStride != 0 && r.LastStride != 1:
		return bad("a last stride of %d", r.LastStride)
	case r.EvaluateEvery < 0 || r.CheckpointEvery < 0 || r.ForwardMACs < 0:
		return bad("negative intervals or budget")
	}
	if err := r.Evaluation.Rerank.Validate(); err != nil {
		return bad("%v", err)
	}
	return nil
}

// WarmedUp is the share of the rate, up to 1, that a step of the second stage has, from 0: the first has one part of as
// many as the warm-up has steps.
func (r Recipe) WarmedUp(step, stepsPerEpoch int) float64 {
	if risen := r.Warmup * stepsPerEpoch; step+1 < risen {
		return float64(step+1) / float64(risen)
	}
	return 1
}

// A Schedule is how long one model trains on one dataset.
type Schedule struct {
	HeadEpochs    int `json:"head_epochs"`
	Epochs        int `json:"epochs"`
	StepsPerEpoch int `json:"steps_per_epoch"`
}

// Steps is the number of training steps of both stages.
func (s Schedule) Steps() int { return s.AllEpochs() * s.StepsPerEpoch }

// AllEpochs is the number of epochs of both stages.
func (s Schedule) AllEpochs() int { return s.HeadEpochs + s.Epochs }

// Schedule resolves the recipe for a model of macs multiply-adds per image and
// epochs of a number of batches. A budget first shortens the second stage, to one epoch
// at least, and then the epochs, to one step at least; every epoch shuffles anew, so
// that a shortened one sees other images. It depends on nothing else: not on the machine,
// and not on the time.
func (r Recipe) Schedule(macs int64, batches int) Schedule {
	s := Schedule{r.HeadEpochs, r.Epochs, batches}
	if r.ForwardMACs == 0 || macs <= 0 {
		return s
	}
	passes := int(r.ForwardMACs / (macs * int64(r.Batch))) // forward passes of a batch
	shortest := FrozenPasses*s.HeadEpochs + TrainPasses*min(s.Epochs, 1)
	s.StepsPerEpoch = min(max(passes/shortest, 1), batches)
	affordable := (passes/s.StepsPerEpoch - FrozenPasses*s.HeadEpochs) / TrainPasses
	s.Epochs = min(s.Epochs, max(affordable, 1))
	return s
}
