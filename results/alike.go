package results

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Market-1501 as published, in images.
const (
	marketTrain   = 12936
	marketQuery   = 3368
	marketGallery = 15913
)

// paperValues are those of the published recipe that bear on its outcome.
var paperValues = map[string]float64{
	"head_epochs": 10, "epochs": 150, "batch": 64, "lr": 5e-4, "lr_step": 50, "lr_gamma": 0.1, "weight_decay": 5e-4,
	"forward_macs": 0,
}

// unlikePublished says in what a run was made in another way than the published ones: on other images, by a recipe of
// other values, whatever it is called, or judged otherwise. Nothing: like is compared with like.
func (r *Record) unlikePublished() []string {
	var unlike []string
	switch d := r.Dataset; {
	case d.Synthetic:
		unlike = append(unlike, "drawn images")
	case d.Train != marketTrain || d.Query != marketQuery || d.Gallery != marketGallery:
		unlike = append(unlike, "not Market-1501's 12,936, 3,368 and 15,913 images")
	}
	if !r.Recipe.isPaper() {
		unlike = append(unlike, "another recipe")
	}
	if r.Recipe.departs() {
		unlike = append(unlike, "another protocol")
	}
	return unlike
}

// neutral are values of recipes that do not bear on what a training comes to, or are looked at apart.
var neutral = []string{"name", "evaluate_every", "checkpoint_every", "evaluation", "synthetic"}

// isPaper reports whether the recipe has the values of the published one, and no others that bear on its outcome.
func (r Recipe) isPaper() bool {
	for key, want := range paperValues {
		if v, err := strconv.ParseFloat(inline(r.Values[key]), 64); err != nil || v != want {
			return false
		}
	}
	for key, value := range r.Values {
		if _, known := paperValues[key]; !known && !isZero(value) && !slices.Contains(neutral, key) {
			return false
		}
	}
	return true
}

// LikePublished reports whether all runs of the line, those that have failed only if none is done, were made as the
// published ones.
func (l *Line) LikePublished() bool {
	runs := l.judged()
	for _, record := range runs {
		if len(record.unlikePublished()) > 0 {
			return false
		}
	}
	return len(runs) > 0
}

// judged are the runs that the line's figures are of: those that are done, or else all.
func (l *Line) judged() []*Record {
	if done := l.done(); len(done) > 0 {
		return done
	}
	return l.Records
}

// CompareAll has the accuracy of every run stand beside the published, with the difference, also where that compares
// unlike things, which the report then says.
func (r *Report) CompareAll() {
	if why := r.unlikeness(); why != "" {
		r.Caveat = why + " Their differences compare unlike things."
	}
	for l := range r.lines {
		l.compared = true
	}
}

// unlikeness says why ours and the published figures are not alike; "" where they are.
func (r *Report) unlikeness() string {
	all, unlike, reasons := 0, 0, map[string]bool{}
	for l := range r.lines {
		for _, record := range l.done() {
			all++
			why := record.unlikePublished()
			if len(why) > 0 {
				unlike++
			}
			for _, reason := range why {
				reasons[reason] = true
			}
		}
	}
	if unlike == 0 {
		return ""
	}
	ours := "Not all"
	if unlike == all {
		ours = "None"
	}
	return "The published figures are from Market-1501 under the paper's recipe. " + ours + " of ours are (" +
		strings.Join(slices.Sorted(maps.Keys(reasons)), ", ") + ")."
}
