package recipe

import (
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/flops"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/models"
)

func TestSchedule(t *testing.T) {
	limited := func(budget int64) Recipe {
		return Recipe{HeadEpochs: 1, Epochs: 8, Batch: 10, ForwardMACs: budget}
	}
	for _, test := range []struct {
		name    string
		recipe  Recipe
		macs    int64
		batches int
		want    Schedule
	}{
		{"no budget", limited(0), 1000, 9, Schedule{1, 8, 9}},
		{"ample", limited(1e9), 1000, 9, Schedule{1, 8, 9}},
		// A batch's forward pass costs 10,000: 100 of them are 9 for the head and 3 epochs of 27.
		{"fewer epochs", limited(1e6), 1000, 9, Schedule{1, 3, 9}},
		// 8 passes are two epochs' worth of two steps, one of them for the head.
		{"fewer steps", limited(8e4), 1000, 9, Schedule{1, 1, 2}},
		{"too dear", limited(1), 1000, 9, Schedule{1, 1, 1}},
		{"published", Paper(), 2_669_000_000, 203, Schedule{10, 150, 203}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, test.recipe.Schedule(test.macs, test.batches)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestRate(t *testing.T) {
	for epoch, want := range map[int]float64{0: 5e-4, 49: 5e-4, 50: 5e-5, 99: 5e-5, 100: 5e-6, 149: 5e-6} {
		if got := Paper().Rate(epoch, 150); math.Abs(got-want) > 1e-12*want {
			t.Errorf("epoch %d: rate %v, want %v", epoch, got, want)
		}
	}
}

func TestWarmUp(t *testing.T) {
	warm, at := Recipe{Warmup: 2}, Recipe{}
	for step, want := range map[int]float64{0: 1. / 6, 1: 2. / 6, 4: 5. / 6, 5: 1, 6: 1, 1000: 1} {
		if got := warm.WarmedUp(step, 3); got != want {
			t.Errorf("step %d of three an epoch: %v of the rate, want %v", step, got, want)
		}
		if got := at.WarmedUp(step, 3); got != 1 {
			t.Errorf("step %d without: %v of the rate", step, got)
		}
	}
}

func TestValidate(t *testing.T) {
	for _, r := range All() {
		if err := r.Validate(); err != nil {
			t.Error(err)
		}
		if named, err := Named(r.Name); err != nil || named != r {
			t.Errorf("RecipeNamed(%q) is %v, %v", r.Name, named, err)
		}
	}
	if _, err := Named("slow"); !errors.Is(err, ErrUnusable) {
		t.Errorf("RecipeNamed of no recipe: %v", err)
	}
	for name, change := range map[string]func(*Recipe){
		"no epochs":      func(r *Recipe) { r.HeadEpochs, r.Epochs = 0, 0 },
		"endless epochs": func(r *Recipe) { r.Epochs = math.MaxInt },
		"endless stages": func(r *Recipe) { r.HeadEpochs = math.MaxInt },
		"huge batches":   func(r *Recipe) { r.Batch = math.MaxInt },
		"neighbours":     func(r *Recipe) { r.Evaluation.Rerank = market1501.Rerank{K1: math.MaxInt, K2: 1} },
		"single images":  func(r *Recipe) { r.Batch = 1 },
		"no rate":        func(r *Recipe) { r.LR = 0 },
		"NaN rate":       func(r *Recipe) { r.LR = math.NaN() },
		"infinite decay": func(r *Recipe) { r.Decay = math.Inf(1) },
		"rate vanishes":  func(r *Recipe) { r.LRGamma = 0 },
		"warm-up":        func(r *Recipe) { r.Warmup = -1 },
		"smooth labels":  func(r *Recipe) { r.LabelSmoothing = 1 },
		"NaN smoothing":  func(r *Recipe) { r.LabelSmoothing = math.NaN() },
		"half a person":  func(r *Recipe) { r.Sampler, r.Batch = market1501.Identities, 10 },
		"one person":     func(r *Recipe) { r.Sampler, r.Batch = market1501.Identities, 4 },
		"triplets":       func(r *Recipe) { r.Triplet = train.Triplet{Soft: true} },
		"erasing":        func(r *Recipe) { r.Erasing = 1.5 },
		"NaN erasing":    func(r *Recipe) { r.Erasing = math.NaN() },
		"padding":        func(r *Recipe) { r.PadCrop = -1 },
		"last stride":    func(r *Recipe) { r.LastStride = 2 },
		"interval":       func(r *Recipe) { r.EvaluateEvery = -1 },
	} {
		r := Paper()
		change(&r)
		if err := r.Validate(); !errors.Is(err, ErrUnusable) {
			t.Errorf("%s: error %v, want ErrRecipe", name, err)
		}
	}
}

// TestTimeOfAllRows holds the sum over the published rows against what two cores compute. Quick is to take ten minutes,
// of which three are for start, images and the small networks' lower rates. Scratch is to take twenty hours, nearly all
// of them in the large rows, which are faster: above 140 GFLOP/s by the table in docs/full-recipe.md.
func TestTimeOfAllRows(t *testing.T) {
	for _, test := range []struct {
		recipe  Recipe
		seconds float64
		flops   float64 // per second
	}{
		{Quick(), 7 * 60, 100e9},
		{Scratch(), 20 * 3600, 120e9},
	} {
		recipe, size, total := test.recipe, test.recipe.Synthetic, 0.0
		images := (size.IDs - size.TestIDs) * size.Images
		judged := size.TestIDs*size.Images + size.TestIDs/2 + size.TestIDs/4
		for _, m := range models.Rows() {
			figures, err := flops.Measure(m)
			if err != nil {
				t.Fatal(err)
			}
			macs := figures.ConvMACs + figures.LinearMACs + figures.MatMulMACs
			s := recipe.Schedule(macs, images/recipe.Batch)
			evaluations := 1
			if recipe.EvaluateEvery > 0 {
				evaluations = (s.Epochs + recipe.EvaluateEvery - 1) / recipe.EvaluateEvery
			}
			passes := (FrozenPasses*s.HeadEpochs+TrainPasses*s.Epochs)*s.StepsPerEpoch*recipe.Batch + evaluations*judged
			total += 2 * float64(macs) * float64(passes)
		}
		if limit := test.seconds * test.flops; total > limit {
			t.Errorf("%s: all rows take %.1f TFLOP, more than %.1f", recipe.Name, total/1e12, limit/1e12)
		}
	}
}
