package store

import (
	"testing"

	"github.com/reidbench/reidbench/bench/recipe"
)

func TestSameRates(t *testing.T) {
	twos := recipe.Recipe{LR: 0.5, LRStep: 2, LRGamma: 0.1}
	threes := recipe.Recipe{LR: 0.5, LRStep: 3, LRGamma: 0.1}
	for _, c := range []struct {
		schedule recipe.Schedule
		same     bool
	}{
		{recipe.Schedule{HeadEpochs: 2, Epochs: 1}, true},
		{recipe.Schedule{HeadEpochs: 3, Epochs: 1}, false},
		{recipe.Schedule{HeadEpochs: 1, Epochs: 3}, false},
	} {
		a, b := Identity{Recipe: twos, Schedule: c.schedule}, Identity{Recipe: threes, Schedule: c.schedule}
		if got := a.sameRates(b); got != c.same {
			t.Errorf("%+v: %v", c.schedule, got)
		}
	}
}

func TestLengthens(t *testing.T) {
	_, short := smallDataset(t)
	short.Recipe.LR, short.Recipe.Epochs, short.Schedule = 0.5, 3, recipe.Schedule{Epochs: 3, StepsPerEpoch: 2}
	cosine := short
	cosine.Recipe.Annealing = recipe.Cosine
	longerCosine := cosine
	longerCosine.Recipe.Epochs, longerCosine.Schedule.Epochs = 5, 5
	if longerCosine.lengthens(cosine) {
		t.Error("a cosine over five epochs is none over three that goes on")
	}
	for _, c := range []struct {
		name   string
		change func(*Identity)
		want   bool
	}{
		{"more epochs", func(id *Identity) { id.Recipe.Epochs, id.Schedule.Epochs = 5, 5 }, true},
		{"a budget", func(id *Identity) {
			id.Recipe.Epochs, id.Recipe.ForwardMACs, id.Schedule.Epochs = 5, 7, 5
		}, true},
		{"as many", func(*Identity) {}, false},
		{"fewer", func(id *Identity) { id.Recipe.Epochs, id.Schedule.Epochs = 2, 2 }, false},
		{"longer epochs", func(id *Identity) {
			id.Recipe.Epochs, id.Schedule = 5, recipe.Schedule{Epochs: 5, StepsPerEpoch: 3}
		}, false},
		{"head epochs", func(id *Identity) {
			id.Recipe.Epochs, id.Schedule = 5, recipe.Schedule{HeadEpochs: 1, Epochs: 5, StepsPerEpoch: 2}
		}, false},
		{"another seed", func(id *Identity) { id.Recipe.Epochs, id.Schedule.Epochs, id.Seed = 5, 5, 9 }, false},
		{"another dataset", func(id *Identity) { id.Recipe.Epochs, id.Schedule.Epochs, id.Dataset = 5, 5, "d" }, false},
	} {
		longer := short
		c.change(&longer)
		if got := longer.lengthens(short); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
