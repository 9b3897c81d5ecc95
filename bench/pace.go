package bench

import (
	"context"
	"fmt"
	"strings"

	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/flops"
	"github.com/reidbench/reidbench/kernels"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/models/graph"
)

// inferBatch bounds the images of a measured forward pass: more of them take longer and tell no more.
const inferBatch = 16

// pacer measures how fast models are, those of the same layers once.
type pacer struct {
	pool      *kernels.Pool
	precision kernels.Precision
	progress  progress.Reporter
	known     map[string]float64 // images a second, by mode and layers
}

func newPacer(threads int, precision kernels.Precision, progress progress.Reporter) *pacer {
	return &pacer{kernels.NewPool(threads), precision, progress, map[string]float64{}}
}

func (p *pacer) close() { p.pool.Close() }

func (p *pacer) pace(ctx context.Context, m models.Model, mode Mode, batch int) (float64, error) {
	g, err := buildGraph(m, flops.IdentityCount)
	if err != nil {
		return 0, err
	}
	key := string(mode) + "\n" + layersOf(g)
	if known, ok := p.known[key]; ok {
		return known, nil
	}
	doing := "a training step"
	if mode == InferMode {
		doing, batch = "a forward pass", min(batch, inferBatch)
	}
	p.progress.Report(progress.Event{Kind: progress.Noted, Job: m.Name, Text: fmt.Sprintf("measuring %s of %d images", doing, batch)})
	s := &stopwatch{
		MeasureConfig: MeasureConfig{
			Mode: mode, Batch: batch, Threads: p.pool.Threads(), Steps: 1, Precision: p.precision, Report: func(Measurement) {},
		},
		pool: p.pool, peak: 1, // nobody asks for shares of it
	}
	if err := s.model(ctx, m); err != nil {
		return 0, err
	}
	p.known[key] = s.results[0].ImagesPerSecond
	return p.known[key], nil
}

// layersOf writes down what a network does.
func layersOf(g *graph.Graph) string {
	var text strings.Builder
	for _, n := range g.Nodes {
		fmt.Fprintf(&text, "%s %#v %v\n", n.Name, n.Op, n.Shape)
	}
	return text.String()
}
