package bench

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/bench/weights"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/models/graph"
	"github.com/reidbench/reidbench/results"
	"github.com/reidbench/reidbench/results/regular"
)

// beginAsPublished has every job that can be trained start from its model's file.
func (r *runner) beginAsPublished() error {
	for _, j := range r.jobs {
		if path := r.pretrained[j.model.Name]; path != "" && j.unbuilt == nil {
			if err := j.begin(path); err != nil {
				return err
			}
		}
	}
	return nil
}

// begin makes the job start from a file of published weights, which has to fit.
func (j *job) begin(path string) error {
	if err := j.weightsSource.fit(path, j.model, j.graph); err != nil {
		return err
	}
	digest, err := regular.SHA256(path)
	if err != nil {
		return err
	}
	j.pretrained = path
	j.id.Pretrained = &results.Pretrained{File: filepath.Base(path), SHA256: digest, Source: j.weightsSource.String()}
	return nil
}

// fit is an error unless the file's weights can be loaded into the network.
func (s WeightsSource) fit(path string, m models.Model, g *graph.Graph) error {
	from, err := s.open(path, m, g)
	if err != nil {
		return err
	}
	defer from.archive.Close()
	_, err = weights.Match(from.archive, from.network)
	return err
}

// network builds a model's network for so many classes and fills it from a file of weights; what is to be said about
// that is reported. With no classes only its features are asked for, and its classifier stays as it is drawn.
func (s WeightsSource) network(
	m models.Model, file string, classes int, report progress.Reporter,
) (*adoption, error) {
	variant, err := variantOf(file)
	if err != nil {
		return nil, err
	}
	g, err := m.As(variant).Graph(max(classes, 1))
	if err != nil {
		return nil, err
	}
	a := &adoption{weights: train.NewWeights(g, 0), graph: g, featuresOnly: classes == 0}
	note, err := s.load(a, m, file)
	if err != nil {
		return nil, err
	}
	if note != "" {
		report.Report(progress.Event{Kind: progress.Noted, Job: m.Name, Text: note})
	}
	return a, nil
}

// program compiles the network for batches that are judged or embedded. What is under way when ctx ends is cut short.
// The function releases what the program takes.
func (a *adoption) program(ctx context.Context, batch, threads int) (p *train.Program, release func(), err error) {
	return a.compile(ctx, train.Options{Batch: batch, Stage: train.Inference}, threads)
}

// compile is program for other options.
func (a *adoption) compile(
	ctx context.Context, options train.Options, threads int,
) (p *train.Program, release func(), err error) {
	pool := parallel.NewPool(threads)
	if p, err = train.Compile(a.graph, a.weights, pool, options); err != nil {
		pool.Close()
		return nil, nil, err
	}
	stop := new(atomic.Bool)
	p.Watch(stop)
	forget := context.AfterFunc(ctx, func() { stop.Store(true) })
	return p, func() { forget(); pool.Close() }, nil
}

// load fills weights from a file under our names or those of another implementation that the model knows, and makes
// the network compute what that one does. The note says what was left out, resized or taken for granted.
func (s WeightsSource) load(a *adoption, m models.Model, path string) (note string, err error) {
	from, err := s.open(path, m, a.graph)
	if err != nil {
		return "", err
	}
	defer from.archive.Close()
	from.network.FeaturesOnly = a.featuresOnly
	if note, err = weights.Load(from.archive, from.network, a.weights.Set); err != nil {
		return "", err
	}
	if err := a.adopt(from.conventions); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	for _, more := range []string{standardNote(from.archive, m), from.note(a.did)} {
		if more != "" {
			note = joinNotes(path, note, more)
		}
	}
	return note, nil
}

// joinNotes appends to a note, which begins with the file's path if it is not empty.
func joinNotes(path, note, more string) string {
	if note == "" {
		return path + ": " + more
	}
	return note + "; " + more
}

// open opens a file, with our names for its tensors, and finds out whose it is.
func (s WeightsSource) open(path string, m models.Model, g *graph.Graph) (origin, error) {
	archive, err := weights.Open(path)
	if err != nil {
		return origin{}, err
	}
	if err := checkTrainedAs(archive, m); err != nil {
		archive.Close()
		return origin{}, err
	}
	from, err := s.originOf(archive, m, g, describeFile(path))
	if err != nil {
		archive.Close()
	}
	return from, err
}

// publishedNetwork describes a network to a file of weights.
func publishedNetwork(g *graph.Graph) weights.Network {
	shapes := map[string][]int{}
	n := weights.Network{
		Shape:     func(name string) []int { return shapes[name] },
		Positions: map[string]weights.Grid{},
	}
	for _, p := range append(slices.Clone(g.Params), g.Buffers...) {
		n.Names = append(n.Names, p.Name)
		shapes[p.Name] = p.Shape
	}
	for _, p := range g.Classifier.Params {
		n.Classifier = append(n.Classifier, p.Name)
	}
	if g.Compared != g.Features {
		for _, p := range append(slices.Clone(g.Features.Params), g.Features.Buffers...) {
			n.Neck = append(n.Neck, p.Name)
		}
	}
	for _, node := range g.Nodes {
		if _, ok := node.Op.(graph.Position); !ok || len(node.Params[0].Shape) != 3 {
			continue // a TNT's pixels lie alike in images of all sizes
		}
		p, image := node.Params[0], g.Input.Shape
		patch := int(math.Sqrt(float64(image.Positions() / (p.Shape[1] - 1)))) // beside the class token
		n.Positions[p.Name] = weights.Grid{H: image.H / patch, W: image.W / patch}
	}
	return n
}

// variantOf is the variant that a file holds the weights of.
func variantOf(path string) (models.Variant, error) {
	archive, err := weights.Open(path)
	if err != nil {
		return models.Variant{}, err
	}
	defer archive.Close()
	variant := store.Variant(archive.Metadata())
	variant.Neck = slices.ContainsFunc(archive.Tensors(), func(t weights.Info) bool {
		return strings.HasSuffix("."+t.Name, "."+graph.NeckModule+".running_mean")
	})
	return variant, nil
}
