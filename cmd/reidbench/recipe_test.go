package main

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/models"
)

// parsed is the recipe that a command line comes to.
func parsed(t *testing.T, line ...string) recipe.Recipe {
	t.Helper()
	var o recipeOptions
	flags := pflag.NewFlagSet("run", pflag.ContinueOnError)
	o.register(flags)
	if err := flags.Parse(line); err != nil {
		t.Fatal(err)
	}
	r, err := o.recipe(flags.Changed)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRecipeFlags: every flag replaces its value, also by that of another recipe, and none any other.
func TestRecipeFlags(t *testing.T) {
	for _, want := range recipe.All() {
		if diff := cmp.Diff(want, parsed(t, "--recipe", want.Name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want.Name, diff)
		}
	}
	got := parsed(t, "--recipe", "paper", "--epochs", "7", "--head-epochs", "2", "--batch", "32", "--sampler", "pk",
		"--random-erasing", "0.25", "--pad-crop", "4", "--lr", "0.1", "--schedule", "cosine", "--warmup", "3",
		"--label-smoothing", "0.2", "--triplet", "soft", "--last-stride", "1", "--bnneck", "--optimizer", "sgd",
		"--input-size", "384x192")
	want := recipe.Paper()
	want.Epochs, want.HeadEpochs, want.Batch, want.Sampler = 7, 2, 32, market1501.Identities
	want.Erasing, want.PadCrop, want.LR, want.Annealing, want.Warmup = 0.25, 4, 0.1, recipe.Cosine, 3
	want.Optimizer, want.InputSize = train.SGD, models.ImageSize{H: 384, W: 192}
	want.LabelSmoothing, want.Triplet, want.LastStride, want.Neck = 0.2, train.Triplet{Soft: true}, 1, true
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("paper with every flag (-want +got):\n%s", diff)
	}
	plain := recipe.Strong()
	plain.Sampler, plain.Erasing, plain.PadCrop, plain.Warmup, plain.LabelSmoothing = 0, 0, 0, 0, 0
	plain.Triplet, plain.LastStride, plain.Neck = train.Triplet{}, 0, false
	got = parsed(t, "--recipe", "strong", "--sampler", "shuffled", "--random-erasing", "0", "--pad-crop", "0",
		"--schedule", "steps", "--warmup", "0", "--label-smoothing", "0", "--triplet", "none", "--last-stride", "2",
		"--bnneck=false")
	if diff := cmp.Diff(plain, got); diff != "" {
		t.Errorf("strong without its pieces (-want +got):\n%s", diff)
	}
}

// TestMetricOfTheRecipe: a flag wins over it.
func TestMetricOfTheRecipe(t *testing.T) {
	for _, test := range []struct {
		line []string
		want market1501.Metric
	}{
		{[]string{"--recipe", "strong"}, market1501.Cosine},
		{[]string{"--recipe", "strong", "--metric", "euclidean"}, market1501.Euclidean},
		{[]string{"--recipe", "tiny"}, market1501.Euclidean},
		{[]string{"--recipe", "tiny", "--metric", "cosine"}, market1501.Cosine},
	} {
		var got struct{ Recipe recipe.Recipe }
		line := append([]string{"run", "lenet", "--data", synthetic(t), "--dry-run", "--json", "--out", t.TempDir()},
			test.line...)
		if err := json.Unmarshal([]byte(succeed(t, append(line, "--batch", "8")...)), &got); err != nil {
			t.Fatal(err)
		}
		if got.Recipe.Evaluation.Metric != test.want {
			t.Errorf("%v: %v", test.line, got.Recipe.Evaluation.Metric)
		}
	}
}

// TestSummaryOfAVariant: the costs are those of the network that the flags make. Of ResNet-50's 2048 features a neck
// normalises each; the last stage's maps of 16×8 in place of 8×4 cost its convolutions four times as much, but for the
// first one of its first block, which comes before the stride.
func TestSummaryOfAVariant(t *testing.T) {
	type figures struct {
		Total struct {
			Params int64
			MACs   int64
		}
	}
	read := func(line ...string) (f figures) {
		t.Helper()
		text := succeed(t, append([]string{"summary", "resnet50", "--batch", "2", "--json"}, line...)...)
		if err := json.Unmarshal([]byte(text), &f); err != nil {
			t.Fatal(err)
		}
		return f
	}
	plain := read()
	const pixels = 8 * 4
	block := int64(pixels * (512*512*9 + 512*2048))
	last := 3*block + int64(pixels*(1024*2048+2*2048*512)) // and the shortcut, and what the second and third begin with
	want := plain
	want.Total.Params += 2048
	want.Total.MACs += 3 * last
	if got := read("--bnneck", "--last-stride", "1"); plain.Total.MACs == 0 || got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := read("--input-size", "512x128"); got.Total.MACs != 2*plain.Total.MACs {
		t.Errorf("twice the height: %+v, of %+v", got, plain)
	}
}
