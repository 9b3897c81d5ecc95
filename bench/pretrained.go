package bench

import (
	"math"
	"path/filepath"
	"slices"

	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/bench/weights"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/models/graph"
	"github.com/reidbench/reidbench/results"
	"github.com/reidbench/reidbench/results/regular"
)

// begin makes the job start from a file of published weights, which has to fit.
func (j *job) begin(path string) error {
	archive, network, err := openPublished(path, j.model, j.graph)
	if err != nil {
		return err
	}
	defer archive.Close()
	if _, err := weights.Match(archive, network); err != nil {
		return err
	}
	digest, err := regular.SHA256(path)
	if err != nil {
		return err
	}
	j.pretrained = path
	j.id.Pretrained = &results.Pretrained{File: filepath.Base(path), SHA256: digest}
	return nil
}

// loadPublished fills w from a file of weights under our names or those of another implementation
// that the model knows. The note says what was left out or resized.
func loadPublished(w *train.Weights, m models.Model, g *graph.Graph, path string) (note string, err error) {
	archive, network, err := openPublished(path, m, g)
	if err != nil {
		return "", err
	}
	defer archive.Close()
	note, err = weights.Load(archive, network, w.Set)
	if standard := standardNote(archive, m); err == nil && standard != "" {
		note = joinNotes(path, note, standard)
	}
	return note, err
}

// joinNotes appends to a note, which begins with the file's path if it is not empty.
func joinNotes(path, note, more string) string {
	if note == "" {
		return path + ": " + more
	}
	return note + "; " + more
}

// openPublished opens a file, with our names for its tensors, and describes what it is to fill.
func openPublished(path string, m models.Model, g *graph.Graph) (*weights.Archive, weights.Network, error) {
	network := publishedNetwork(g)
	archive, err := weights.Open(path)
	if err != nil {
		return nil, network, err
	}
	if err := checkTrainedAs(archive, m); err != nil {
		archive.Close()
		return nil, network, err
	}
	var renamings []func(string) string
	for _, source := range m.Sources {
		renamings = append(renamings, source.Modules.Rename)
	}
	return archive.Closest(network, renamings...), network, nil
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
