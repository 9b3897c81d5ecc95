package weights

import (
	"fmt"
	"slices"
	"strings"

	"github.com/reidbench/reidbench/bench/weights/tensor"
)

// Assignment says which of a network's tensors an archive fills.
type Assignment struct {
	Names []string // to be loaded, in the network's order
	Note  string   // one line about classifiers that are left out; empty if there are none
}

// MismatchError lists every tensor in which an archive and a network differ.
type MismatchError struct {
	Path      string
	Missing   []string // the network has them, the archive doesn't
	Surplus   []string // the archive has them, the network doesn't
	Misshapen []string // both have them, with another shape or with values that aren't floating-point numbers; says how
}

func (e *MismatchError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: other tensors than the network's", e.Path)
	for _, part := range []struct {
		title string
		names []string
	}{{"missing", e.Missing}, {"surplus", e.Surplus}, {"misshapen", e.Misshapen}} {
		if len(part.names) > 0 {
			fmt.Fprintf(&b, "\n  %s (%d): %s", part.title, len(part.names), strings.Join(part.names, ", "))
		}
	}
	return b.String()
}

// Match compares an archive with a network's tensors, given by their names and a function from name to shape, both as
// published. If any tensor of the classifier, by its listed names, has another shape, then all of the classifier is left
// out, and the note says so: it was trained for other identities. Any other difference is a *MismatchError. May be
// surplus: batch norm's counters (num_batches_tracked), and with a note Inception v3's second classifier (AuxLogits).
func Match(a *Archive, names []string, shape func(name string) []int, classifier []string) (Assignment, error) {
	resized := resizedClassifier(a, names, shape, classifier)
	wanted := make(map[string]bool, len(names))
	var fit Assignment
	e := &MismatchError{Path: a.path}
	for _, name := range names {
		wanted[name] = true
		v, ok := a.find(name)
		switch {
		case len(resized) > 0 && slices.Contains(classifier, name):
		case !ok:
			e.Missing = append(e.Missing, name)
		case !slices.Equal(v.Shape, shape(name)):
			e.Misshapen = append(e.Misshapen, describe(v, shape(name)))
		case !v.DType.Real():
			e.Misshapen = append(e.Misshapen, fmt.Sprintf("%s (%s)", name, v.DType))
		default:
			fit.Names = append(fit.Names, name)
		}
	}
	auxiliary := 0
	for _, v := range a.tensors {
		switch {
		case wanted[v.Name], isCounter(v.Name):
		case len(resized) > 0 && slices.Contains(classifier, v.Name):
		case isAuxiliary(v.Name):
			auxiliary++
		default:
			e.Surplus = append(e.Surplus, v.Name)
		}
	}
	if len(e.Missing)+len(e.Surplus)+len(e.Misshapen) > 0 {
		return Assignment{}, e
	}
	var notes []string
	if len(resized) > 0 {
		notes = append(notes, "classifier left out: "+strings.Join(resized, ", "))
	}
	if auxiliary > 0 {
		notes = append(notes, fmt.Sprintf("auxiliary classifier left out: %d tensors AuxLogits.*", auxiliary))
	}
	if len(notes) > 0 {
		fit.Note = a.path + ": " + strings.Join(notes, "; ")
	}
	return fit, nil
}

// resizedClassifier describes the classifier's tensors that both sides have, with different shapes.
func resizedClassifier(a *Archive, names []string, shape func(name string) []int, classifier []string) []string {
	var list []string
	for _, name := range classifier {
		if !slices.Contains(names, name) {
			continue
		}
		if v, ok := a.find(name); ok && !slices.Equal(v.Shape, shape(name)) {
			list = append(list, describe(v, shape(name)))
		}
	}
	return list
}

func describe(v tensor.View, want []int) string {
	return fmt.Sprintf("%s (%v instead of %v)", v.Name, v.Shape, want)
}

// Load matches and then hands each tensor's values to set, in the network's order. Nothing is set unless everything
// matches. The note is Match's.
func Load(a *Archive, names []string, shape func(name string) []int, classifier []string,
	set func(name string, values []float32) error) (note string, err error) {
	fit, err := Match(a, names, shape, classifier)
	if err != nil {
		return "", err
	}
	for _, name := range fit.Names {
		values, err := a.Float32(name)
		if err != nil {
			return "", err
		}
		if err := set(name, values); err != nil {
			return "", fmt.Errorf("%s: tensor %q: %w", a.path, name, err)
		}
	}
	return fit.Note, nil
}
