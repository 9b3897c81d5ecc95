package bench

import (
	"bytes"
	"errors"
	"path/filepath"
	"testing"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/models"
)

// TestValuesOfTheRecipe: every value of the recipe changes what is learned, is recorded, and is not changed in the
// middle; the weights of a training that was interrupted are those of one that was not.
func TestValuesOfTheRecipe(t *testing.T) {
	plain := testConfig(t, tinymodel.New("one"))
	mustRun(t, plain)
	weightsOf := func(c Config) []byte { return mustRead(t, filepath.Join(c.Out, "one", store.WeightsFile)) }
	for _, test := range []struct {
		name, recorded string
		change         func(*recipe.Recipe)
	}{
		{"sampler", `"sampler": "pk"`, func(r *recipe.Recipe) { r.Sampler, r.Batch = market1501.Identities, 8 }},
		{"label smoothing", `"label_smoothing": 0.1`, func(r *recipe.Recipe) { r.LabelSmoothing = 0.1 }},
		{"soft triplet", `"triplet": "soft"`, func(r *recipe.Recipe) {
			r.Sampler, r.Batch, r.Triplet = market1501.Identities, 8, train.Triplet{Soft: true}
		}},
		{"triplet with a margin", `"triplet": "0.3"`, func(r *recipe.Recipe) {
			r.Sampler, r.Batch, r.Triplet = market1501.Identities, 8, train.Triplet{Margin: 0.3}
		}},
		{"random erasing", `"random_erasing": 0.5`, func(r *recipe.Recipe) { r.Erasing = 0.5 }},
		{"pad and crop", `"pad_crop": 2`, func(r *recipe.Recipe) { r.PadCrop = 2 }},
		{"cosine", `"annealing": "cosine"`, func(r *recipe.Recipe) { r.Annealing = recipe.Cosine }},
		{"last stride", `"last_stride": 1`, func(r *recipe.Recipe) { r.LastStride = 1 }},
		{"AdamW", `"optimizer": "adamw"`, func(r *recipe.Recipe) { r.Optimizer, r.Decay = train.AdamW, 0.1 }},
		{"SGD", `"optimizer": "sgd"`, func(r *recipe.Recipe) { r.Optimizer = train.SGD }},
		{"input size", `"input_size": "48x24"`, func(r *recipe.Recipe) {
			r.InputSize = models.ImageSize{H: 48, W: 24}
		}},
		{"neck", `"bnneck": true`, func(r *recipe.Recipe) { r.Neck = true }},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := plain
			test.change(&c.Recipe)
			if _, err := Run(t.Context(), c); !errors.Is(err, store.ErrConflict) {
				t.Errorf("in the folder of a run without: error %v, want ErrConflict", err)
			}
			c.Out = filepath.Join(t.TempDir(), "runs")
			mustRun(t, c)
			id := mustRead(t, filepath.Join(c.Out, "one", identityFile))
			if !bytes.Contains(id, []byte(test.recorded)) {
				t.Errorf("recorded as %s", id)
			}
			if bytes.Equal(weightsOf(c), weightsOf(plain)) {
				t.Error("the weights are those of a training without")
			}
			inPieces := c
			inPieces.Out = filepath.Join(t.TempDir(), "runs")
			inPieces.Threads = 2
			runUntil(t, inPieces, 5)
			mustRun(t, inPieces)
			sameTrace(t, "interrupted, on two threads", filepath.Join(c.Out, "one"), filepath.Join(inPieces.Out, "one"))
		})
	}
}

// TestMorePeopleThanThereAre: four people don't fill a batch that is made of five.
func TestMorePeopleThanThereAre(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	c.Recipe.Sampler, c.Recipe.Batch = market1501.Identities, 20
	if _, err := Run(t.Context(), c); !errors.Is(err, recipe.ErrUnusable) {
		t.Errorf("error %v, want ErrUnusable", err)
	}
}
