package measure

import (
	"context"
	"fmt"
	"strings"

	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/flops"
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/models/graph"
)

// inferBatch bounds the images of a forward pass that is measured: more of them take longer and tell no more.
const inferBatch = 16

// A Pacer measures how fast models are, those of the same layers once.
type Pacer struct {
	pool      *parallel.Pool
	precision gemm.Precision
	reporter  progress.Reporter
	known     map[string]float64 // images a second, by mode and layers
}

// NewPacer starts threads that [Pacer.Close] ends; reporter is told what is being measured.
func NewPacer(threads int, precision gemm.Precision, reporter progress.Reporter) *Pacer {
	return &Pacer{parallel.NewPool(threads), precision, reporter, map[string]float64{}}
}

// Close ends the threads.
func (p *Pacer) Close() { p.pool.Close() }

// Pace returns the images a second that a model is trained on, or used on, in batches of batch images: by the second of
// two steps on noise.
func (p *Pacer) Pace(ctx context.Context, m models.Model, mode Mode, batch int) (float64, error) {
	g, err := m.Graph(flops.IdentityCount)
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
	p.reporter.Report(progress.Event{Kind: progress.Noted, Job: m.Name, Text: fmt.Sprintf("measuring %s of %d images",
		doing, batch)})
	s := &stopwatch{
		Config: Config{
			Mode: mode, Batch: batch, Threads: p.pool.Threads(), Steps: 1, Precision: p.precision,
			Report: func(Measurement) {},
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
