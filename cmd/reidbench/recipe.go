package main

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/market1501"
)

// precisionUsage explains the flag --precision.
const precisionUsage = "`format` of large products: fp32, or bf16 with AVX512_BF16"

// recipeOptions are the flags that choose a recipe, and replace single values of it.
type recipeOptions struct {
	name               string
	epochs, batch      int
	warmup             int
	lr, labelSmoothing float64
	sampler            market1501.Sampler
	triplet            train.Triplet
	erasing            float64
	padCrop            int
	headEpochs         int
	annealing          recipe.Annealing
	variant            variantOptions
	optimizer          train.Rule
	precision          gemm.Precision
}

func (o *recipeOptions) register(flags *pflag.FlagSet) {
	flags.StringVar(&o.name, "recipe", recipe.All()[0].Name, "`name` of the recipe: "+recipeNames())
	flags.IntVar(&o.epochs, "epochs", 0, "epochs of the second stage, in place of the recipe's")
	flags.IntVar(&o.headEpochs, "head-epochs", 0, "epochs of the first stage, in place of the recipe's")
	flags.IntVar(&o.batch, "batch", 0, "images in a batch, in place of the recipe's")
	flags.TextVar(&o.sampler, "sampler", market1501.Shuffled, fmt.Sprintf(
		"`name`: shuffled, or pk: %d images of each person in a batch; in place of the recipe's",
		market1501.ImagesOfIdentity))
	flags.Lookup("sampler").DefValue = "" // it is the recipe's
	flags.Float64Var(&o.erasing, "random-erasing",
		0, "`share` of images that lose a rectangle, as 0.5, in place of the recipe's")
	flags.IntVar(&o.padCrop, "pad-crop",
		0, "`pixels` of padding before images are cut to size, as 10, in place of the recipe's")
	flags.TextVar(&o.optimizer, "optimizer", train.Adam,
		"`rule` by which weights follow gradients: adam, adamw or sgd, in place of the recipe's")
	flags.Lookup("optimizer").DefValue = "" // it is the recipe's
	flags.Float64Var(&o.lr, "lr", 0, "learning rate to begin with, in place of the recipe's")
	flags.TextVar(&o.annealing, "schedule", recipe.Steps,
		"`way` in which the rate falls: steps or cosine, in place of the recipe's")
	flags.Lookup("schedule").DefValue = "" // it is the recipe's
	flags.IntVar(&o.warmup, "warmup",
		0, "`epochs` of the second stage in which the rate rises, in place of the recipe's")
	flags.Float64Var(&o.labelSmoothing, "label-smoothing",
		0, "`part` of a label that is spread over all classes, as 0.1, in place of the recipe's")
	flags.TextVar(&o.triplet, "triplet", train.Triplet{},
		"`loss` of triplets of features: soft, a margin as 0.3, none; in place of the recipe's")
	flags.Lookup("triplet").DefValue = "" // it is the recipe's
	o.variant.register(flags, "; in place of the recipe's")
	flags.TextVar(&o.precision, "precision", gemm.FP32, precisionUsage)
}

// recipe is the one that the flags come to. given reports whether a flag is on the command line.
func (o *recipeOptions) recipe(given func(flag string) bool) (recipe.Recipe, error) {
	r, err := recipe.Named(o.name)
	if err != nil {
		return r, err
	}
	if given("epochs") {
		r = r.WithEpochs(o.epochs)
	}
	if given("head-epochs") {
		r.HeadEpochs = o.headEpochs
	}
	if given("batch") {
		r.Batch = o.batch
	}
	if given("sampler") {
		r.Sampler = o.sampler
	}
	if given("random-erasing") {
		r.Erasing = o.erasing
	}
	if given("pad-crop") {
		r.PadCrop = o.padCrop
	}
	if given("optimizer") {
		r.Optimizer = o.optimizer
	}
	if given("lr") {
		r.LR = o.lr
	}
	if given("schedule") {
		r.Annealing = o.annealing
	}
	if given("warmup") {
		r.Warmup = o.warmup
	}
	if given("label-smoothing") {
		r.LabelSmoothing = o.labelSmoothing
	}
	if given("triplet") {
		r.Triplet = o.triplet
	}
	if given("last-stride") {
		r.LastStride = o.variant.stride()
	}
	if given("input-size") {
		r.InputSize = o.variant.inputSize
	}
	if given("bnneck") {
		r.Neck = o.variant.neck
	}
	r.Precision = o.precision
	return r, nil
}

func recipeNames() string {
	return strings.Join(namesOf(recipe.All(), func(r recipe.Recipe) string { return r.Name }), ", ")
}

func describeRecipes() string {
	var lines []string
	for _, r := range recipe.All() {
		line := fmt.Sprintf("  %-7s %d + %d epochs, batches of %d, learning rate %g",
			r.Name, r.HeadEpochs, r.Epochs, r.Batch, r.LR)
		if r.ForwardMACs > 0 {
			line += fmt.Sprintf(", cut to %.0f G multiply-adds", float64(r.ForwardMACs)/1e9)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
