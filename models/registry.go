// Package models is the registry of networks. A model is a function that builds a
// layer graph; each family is one file, from its blocks to its variants.
//
// The rows of the published comparison are registered under the lower-case spelling
// of their printed name, everything beside them under its torchvision, else timm, name.
package models

import (
	"errors"
	"fmt"
	"path"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/reidbench/reidbench/models/graph"
)

// Family says which of the two published tables a model belongs to.
type Family string

// The families.
const (
	CNN         Family = "cnn"
	Transformer Family = "transformer"
)

// Distillation says how a model learns from a teacher (Touvron et al. 2021, §4).
type Distillation string

// The kinds of distillation.
const (
	NoDistillation   Distillation = ""
	HardDistillation Distillation = "hard" // cross-entropy against the teacher's argmax
	SoftDistillation Distillation = "soft" // Kullback-Leibler divergence to the teacher's softened output
)

// DefaultTeacher is the row that the distilled rows learn from.
const DefaultTeacher = "ResNet50"

// ErrUnknown is wrapped by the error for a name or pattern that no model has.
var ErrUnknown = errors.New("unknown model")

// PersonImage is the input of every row of the tables, [H, W, C].
var PersonImage = graph.Shape{H: 256, W: 128, C: 3}

// A Model is a network by name.
type Model struct {
	Name    string   // as typed on the command line
	Row     string   // as printed in the published table, "" if it is not there
	Aliases []string // names in torchvision and timm
	Files   []string // names of published files beside these; several models may have the same

	Family  Family
	Input   graph.Shape
	Distill Distillation

	// Build appends the network to b and returns the embedding and the output of
	// the last linear layer, whose only input is that embedding.
	Build func(b *graph.Builder, classes int) (features, logits *graph.Node)

	variant Variant

	// Sources are the other implementations whose files of weights can be read.
	Sources []Source
}

// Graph builds the model's layer graph with a classifier for the given number of identities. A panic of the model's
// function is an error, which has a method Stack() []byte that says where it came from.
func (m Model) Graph(classes int) (g *graph.Graph, err error) {
	if classes < 1 {
		return nil, fmt.Errorf("building %s: %d classes", m.Name, classes)
	}
	defer func() {
		if cause := recover(); cause != nil {
			g, err = nil, &panicError{cause, debug.Stack()}
		}
	}()
	input := m.Input
	if size := m.variant.Input; size != (ImageSize{}) {
		input.H, input.W = size.H, size.W
	}
	b := graph.NewBuilder(m.Name, input)
	features, logits := m.Build(b, classes)
	if m.variant.LastStride == 1 {
		b.WithoutLastStride()
	}
	if m.variant.Neck {
		features, logits = b.Neck(features, logits)
	}
	return b.Graph(features, logits)
}

// panicError is the panic of a model's function.
type panicError struct {
	cause any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.cause) }

// Stack is where the panic came from.
func (e *panicError) Stack() []byte { return e.stack }

// Standard is the network as published, where a row's has the same tensors and computes something else.
func (m Model) Standard() (Model, bool) {
	i, ok := registered.byName[strings.ToLower(m.Name)+"-standard"]
	if !ok {
		return Model{}, false
	}
	return registered.models[i], true
}

// names are all spellings that the model answers to, lower-case.
func (m Model) names() []string {
	list := []string{strings.ToLower(m.Name)}
	for _, name := range append([]string{m.Row}, m.Aliases...) {
		if name = strings.ToLower(name); name != "" && !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

// A registry keeps models in order and finds them by any of their names.
type registry struct {
	models []Model
	byName map[string]int
}

var registered = registry{byName: map[string]int{}}

// register is what a family's file calls from its init function.
func register(models ...Model) {
	for _, m := range models {
		if err := registered.add(m); err != nil {
			panic(err)
		}
	}
}

func (r *registry) add(m Model) error {
	if m.Name == "" || m.Build == nil || m.Input.Size() < 1 {
		return fmt.Errorf("registering model %q: it needs a name, an input shape and a Build function", m.Name)
	}
	for _, name := range m.names() {
		if i, ok := r.byName[name]; ok {
			return fmt.Errorf("registering model %s: %s already answers to %q", m.Name, r.models[i].Name, name)
		}
	}
	for _, name := range m.names() {
		r.byName[name] = len(r.models)
	}
	r.models = append(r.models, m)
	return nil
}

// All returns every model: the published rows in their order, then the others family by family.
func All() []Model {
	list := Rows()
	for _, m := range registered.models {
		if m.Row == "" {
			list = append(list, m)
		}
	}
	return list
}

// Rows returns the models of the published tables in their order.
func Rows() []Model {
	var list []Model
	for _, row := range publishedRows {
		if i, ok := registered.byName[strings.ToLower(row)]; ok {
			list = append(list, registered.models[i])
		}
	}
	return list
}

// Lookup returns the model that has the name, row or alias, in upper or lower case. The error for
// an unknown name wraps ErrUnknown and suggests the nearest one.
func Lookup(name string) (Model, error) {
	lower := strings.ToLower(name)
	if i, ok := registered.byName[lower]; ok {
		return registered.models[i], nil
	}
	return Model{}, fmt.Errorf("%w %q; did you mean %q?", ErrUnknown, name, nearest(lower))
}

// Match returns the models that the patterns name, each once and in the order of All.
// A pattern is a name as for Lookup, a wildcard as for path.Match, or "all", the published rows.
func Match(patterns ...string) ([]Model, error) {
	wanted := map[string]bool{}
	for _, pattern := range patterns {
		list, err := match(pattern)
		if err != nil {
			return nil, err
		}
		for _, m := range list {
			wanted[m.Name] = true
		}
	}
	return slices.DeleteFunc(All(), func(m Model) bool { return !wanted[m.Name] }), nil
}

func match(pattern string) ([]Model, error) {
	lower := strings.ToLower(pattern)
	if lower == "all" {
		return Rows(), nil
	}
	if !strings.ContainsAny(lower, `*?[\`) {
		m, err := Lookup(pattern)
		return []Model{m}, err
	}
	if _, err := path.Match(lower, ""); err != nil {
		return nil, fmt.Errorf("model pattern %q: %w", pattern, err)
	}
	matches := slices.DeleteFunc(All(), func(m Model) bool {
		return !slices.ContainsFunc(m.names(), func(name string) bool {
			ok, _ := path.Match(lower, name) // the pattern's syntax is checked above
			return ok
		})
	})
	if len(matches) == 0 {
		return nil, fmt.Errorf("%w: nothing matches %q", ErrUnknown, pattern)
	}
	return matches, nil
}

// nearest is the registered name at the least edit distance.
func nearest(name string) string {
	best, least := "", -1
	for _, m := range All() {
		for _, candidate := range m.names() {
			if d := editDistance(name, candidate); least < 0 || d < least {
				best, least = candidate, d
			}
		}
	}
	return best
}

// editDistance counts the insertions, deletions and substitutions that turn a into b
// (Wagner and Fischer 1974), one row of the table at a time.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substituted := diagonal
			if a[i] != b[j] {
				substituted++
			}
			diagonal = row[j+1]
			row[j+1] = min(substituted, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}
