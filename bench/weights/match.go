package weights

import (
	"fmt"
	"slices"
	"strings"

	"github.com/reidbench/reidbench/bench/weights/internal/tensor"
)

// Network is what an archive is to fill. Names and shapes are as published.
type Network struct {
	Names        []string
	Shape        func(name string) []int
	Classifier   []string        // the tensors of the last linear layer
	FeaturesOnly bool            // nobody asks for the classifier's output: that it is left out needs no note
	Neck         []string        // those of a batch norm before it, which an archive may lack as a whole
	Positions    map[string]Grid // the position embeddings that may come for another image size
	Leaves       []string        // tensors that an archive may have and the network has no place for
	Tokens       int             // before the grid in an archive's position embeddings; 0: one, as in the network's
}

// Assignment says which of a network's tensors an archive fills.
type Assignment struct {
	Names []string // to be loaded, in the network's order
	Note  string   // one line about what is left out or resized; empty if all is loaded as it is

	layouts map[string]layout // of the position embeddings to be resized, as they are in the archive
}

// MismatchError lists every tensor in which an archive and a network differ.
type MismatchError struct {
	Path      string
	Part      string   // the path that was taken off the archive's names, with a dot at its end; "": none
	Missing   []string // the network has them, the archive doesn't
	Surplus   []string // the archive has them, the network doesn't
	Misshapen []string // both have them, with another shape or with values that aren't floating-point numbers; says how
}

func (e *MismatchError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: other tensors than the network's", e.Path)
	if e.Part != "" {
		fmt.Fprintf(&b, ", read without the %q before its names", e.Part)
	}
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

// Match compares an archive with a network. If any tensor of the classifier has another shape or is missing, then all
// of the classifier is left out, and the note says so: it was trained for other classes, or is not in the file. A
// position embedding of a square grid is resized, with a note. Any other difference is a *MismatchError, but a
// convolution over a whole map and a linear layer are the same, and so are other shapes that differ by ones at the end.
// A neck that the archive lacks stays as it is, with a note, and so is the bias left of a classifier that has none.
// May be surplus: batch norm's counters (num_batches_tracked), and with a note what the network leaves, Inception v3's
// second classifier (AuxLogits) and what thop counts (total_ops, total_params). The note also says without which path
// [Archive.Closest] has read the names.
func Match(a *Archive, n Network) (Assignment, error) {
	headless, neckless := classifierNote(a, n), lacksNeck(a, n)
	wanted := make(map[string]bool, len(n.Names))
	fit := Assignment{layouts: map[string]layout{}}
	e := &MismatchError{Path: a.path, Part: a.part}
	var notes []string
	if a.part != "" {
		notes = append(notes, fmt.Sprintf("read without the %q before its names", a.part))
	}
	for _, name := range n.Names {
		wanted[name] = true
		if headless != "" && slices.Contains(n.Classifier, name) || neckless && slices.Contains(n.Neck, name) {
			continue
		}
		v, ok := a.find(name)
		if !ok {
			e.Missing = append(e.Missing, name)
			continue
		}
		if !sameShape(v.Shape, n.Shape(name)) {
			grid := n.Positions[name]
			published, ok := grid.layout(v.Shape, n.Shape(name), max(n.Tokens, 1))
			if !ok {
				e.Misshapen = append(e.Misshapen, describe(v, n.Shape(name)))
				continue
			}
			fit.layouts[name] = published
			notes = append(notes, published.describe(name, grid))
		}
		if !v.DType.Real() {
			e.Misshapen = append(e.Misshapen, fmt.Sprintf("%s (%s)", name, v.DType))
			continue
		}
		fit.Names = append(fit.Names, name)
	}
	if headless != "" && !n.FeaturesOnly {
		notes = append(notes, headless)
	}
	if neckless {
		notes = append(notes, "no batch norm before the classifier in the file")
	}
	auxiliary, counts := 0, 0
	var left []string
	for _, v := range a.tensors {
		switch {
		case wanted[v.Name], isCounter(v.Name):
		case headless != "" && slices.Contains(n.Classifier, v.Name):
		case isCost(v.Name):
			counts++
		case isAuxiliary(v.Name):
			auxiliary++
		case slices.Contains(n.Leaves, v.Name), isBiasOf(n.Classifier, v.Name):
			left = append(left, v.Name)
		default:
			e.Surplus = append(e.Surplus, v.Name)
		}
	}
	if len(e.Missing)+len(e.Surplus)+len(e.Misshapen) > 0 {
		return Assignment{}, e
	}
	if counts > 0 {
		notes = append(notes, fmt.Sprintf("thop's counts left out: %d tensors total_ops and total_params", counts))
	}
	if len(left) > 0 {
		notes = append(notes, "left out, as the network has no place for it: "+strings.Join(left, ", "))
	}
	if auxiliary > 0 {
		notes = append(notes, fmt.Sprintf("auxiliary classifier left out: %d tensors AuxLogits.*", auxiliary))
	}
	if len(notes) > 0 {
		fit.Note = a.path + ": " + strings.Join(notes, "; ")
	}
	return fit, nil
}

// sameShape reports whether shapes are the same up to ones at their end, or a convolution's and a linear layer's over
// as many values.
func sameShape(published, wanted []int) bool {
	if len(published) == 4 && len(wanted) == 2 {
		return published[0] == wanted[0] && published[1]*published[2]*published[3] == wanted[1]
	}
	return slices.Equal(trimOnes(published), trimOnes(wanted))
}

func trimOnes(shape []int) []int {
	for len(shape) > 1 && shape[len(shape)-1] == 1 {
		shape = shape[:len(shape)-1]
	}
	return shape
}

func describe(v tensor.View, want []int) string {
	return fmt.Sprintf("%s (%v instead of %v)", v.Name, v.Shape, want)
}

// Load matches and then hands each tensor's values to set, in the network's order. Nothing is set unless everything
// matches. The note is Match's.
func Load(a *Archive, n Network, set func(name string, values []float32) error) (note string, err error) {
	fit, err := Match(a, n)
	if err != nil {
		return "", err
	}
	for _, name := range fit.Names {
		values, err := a.Float32(name)
		if err != nil {
			return "", err
		}
		if published, ok := fit.layouts[name]; ok {
			values = resizePositions(values, published, n.Positions[name], n.Shape(name)[2])
		}
		if err := set(name, values); err != nil {
			return "", fmt.Errorf("%s: tensor %q: %w", a.path, name, err)
		}
	}
	return fit.Note, nil
}
