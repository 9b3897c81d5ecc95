// Package measure says how fast training, inference and single kernels are on this machine.
package measure

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/reidbench/reidbench/bench/machine"
	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/flops"
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/kernels/measure"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/models/graph"
	"github.com/reidbench/reidbench/results"
)

// A Mode is what a measurement repeats.
type Mode string

// The modes.
const (
	TrainMode  Mode = "train"   // forward, backward and Adam on a batch
	InferMode  Mode = "infer"   // forward on a batch
	KernelMode Mode = "kernels" // each convolution, linear layer and attention of networks by itself
)

// Modes lists the modes.
func Modes() []Mode { return []Mode{TrainMode, InferMode, KernelMode} }

// Config says what to measure.
type Config struct {
	Mode     Mode
	Models   []models.Model // for KernelMode, whose layers
	Batch    int            // images; 0: recipe.DefaultBatch
	Threads  int            // 0: one per CPU
	Steps    int            // that are measured, after one that is not; 0: 6
	Profile  bool           // tell where the time of a model's steps goes
	Simulate []int          // numbers of threads that a model's steps are simulated with

	Precision gemm.Precision // of large products

	Report func(Measurement)
}

// A Measurement is how fast a model or a kernel is.
type Measurement struct {
	Model           string  `json:"model"`             // or the kernel with its shape
	Variant         string  `json:"variant,omitempty"` // of the model, as [models.Variant] names it
	Mode            Mode    `json:"mode"`
	Batch           int     `json:"batch"`
	Threads         int     `json:"threads"`
	Precision       string  `json:"precision"`
	ImagesPerSecond float64 `json:"img_per_s"` // the median of the steps
	// GFLOPS counts 2 per multiply-add of the plain sums; a training step is three forward passes.
	GFLOPS float64 `json:"gflops"`
	// PeakShare is that of the fp32 multiply-add peak measured in the same run. It exceeds 1 in bf16, and where
	// Winograd's forms save multiplications.
	PeakShare    float64 `json:"peak_share"`
	PlannedBytes int64   `json:"planned_bytes"`  // before the first step
	PeakRSSBytes int64   `json:"peak_rss_bytes"` // what the process came to hold; 0 if unknown

	WaitedShare results.WaitedShare `json:"waited_share,omitempty"` // of the steps' time

	// Of a kernel:
	Models []string `json:"models,omitempty"` // that have this layer
	Bound  string   `json:"bound,omitempty"`  // "multiply-adds" or "memory": what limits it
	// BoundGFLOPS is what it could reach, by the peak or by the memory bandwidth measured in the same run.
	BoundGFLOPS float64 `json:"bound_gflops,omitempty"`
	// BoundShare is that of BoundGFLOPS. It exceeds 1 where PeakShare does, and where the caches hold the operands.
	BoundShare float64 `json:"bound_share,omitempty"`

	Profile    *Profile    `json:"-"`                    // where Config asks for it
	Simulation *Simulation `json:"simulation,omitempty"` // where Config asks for it

	Steps []time.Duration `json:"-"` // each one measured
	FLOPs float64         `json:"-"` // of a step
	Peak  float64         `json:"-"` // FLOP/s
}

// peakTime is how long the multiply-add peak is measured.
const peakTime = 300 * time.Millisecond

// Run runs the steps of one model or kernel after the other. Report, which may be
// nil, is told each result at once.
func Run(ctx context.Context, c Config) ([]Measurement, error) {
	if c.Batch < 1 {
		c.Batch = recipe.DefaultBatch
	}
	c.Threads = machine.Threads(c.Threads)
	if c.Steps < 1 {
		c.Steps = 6 // the fewest that benchstat finds a confidence interval for
	}
	if err := c.Precision.Available(); err != nil {
		return nil, err
	}
	if c.Report == nil {
		c.Report = func(Measurement) {}
	}
	pool := parallel.NewPool(c.Threads)
	defer pool.Close()
	r := &stopwatch{Config: c, pool: pool, peak: measure.Peak(pool, peakTime)}
	var err error
	switch c.Mode {
	case KernelMode:
		err = r.kernels(ctx)
	case TrainMode, InferMode:
		err = r.models(ctx)
	default:
		err = fmt.Errorf("no benchmark is called %q", c.Mode)
	}
	return r.results, err
}

// stopwatch is one call of Run.
type stopwatch struct {
	Config
	pool      *parallel.Pool
	peak      float64 // FLOP/s
	bandwidth float64 // B/s; of KernelMode
	results   []Measurement
}

func (r *stopwatch) models(ctx context.Context) error {
	if len(r.Models) == 0 {
		return errors.New("no models to measure")
	}
	for _, m := range r.Models {
		if err := r.model(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

func (r *stopwatch) model(ctx context.Context, m models.Model) error {
	g, err := m.Graph(flops.IdentityCount)
	if err != nil {
		return err
	}
	cost, err := flops.Count(g)
	if err != nil {
		return err
	}
	debug.FreeOSMemory() // what the model before has left
	peakKnown := machine.ResetPeakMemory() == nil
	stage, passes := train.Inference, 1
	if r.Mode == TrainMode {
		stage, passes = train.Everything, recipe.TrainPasses
	}
	w := train.NewWeights(g, 1)
	program := func(pool *parallel.Pool) (p *train.Program, step func(), err error) {
		p, err = compile(g, w, pool, train.Options{Batch: r.Batch, Stage: stage, Precision: r.Precision})
		if err != nil || r.Mode != TrainMode {
			return p, func() { p.Forward(r.Batch) }, err
		}
		adam, steps := train.NewAdam(w, stage, 5e-4), uint64(0)
		return p, func() {
			p.Train(r.Batch, steps)
			adam.Step(p, 5e-4)
			steps++
		}, nil
	}
	p, step, err := program(r.pool)
	if err != nil {
		return err
	}
	measured := Measurement{
		Model: m.Name, Variant: m.Variant().String(), Batch: r.Batch, PlannedBytes: p.Memory().Total(),
		FLOPs: 2 * float64(int64(passes*r.Batch)*cost.Total.MACs()),
	}
	if err := r.measure(ctx, measured, step, func(m *Measurement) (err error) {
		if peakKnown {
			m.PeakRSSBytes = machine.PeakMemory()
		}
		if r.Config.Profile {
			m.Profile = profiled(p, step, r.Batch, cost)
		}
		if len(r.Config.Simulate) > 0 {
			m.Simulation, err = simulate(r.Config.Simulate, func(threads int) ([]simulatedPiece, error) {
				pool := parallel.NewPool(threads)
				defer pool.Close()
				p, step, err := program(pool)
				if err != nil {
					return nil, err
				}
				return record(p, pool, step), ctx.Err()
			})
		}
		return err
	}); err != nil {
		return fmt.Errorf("measuring %s: %w", m.Name, err)
	}
	return nil
}

// compile makes a program with images of noise, and labels.
func compile(
	g *graph.Graph, w *train.Weights, pool *parallel.Pool, options train.Options,
) (*train.Program, error) {
	p, err := train.Compile(g, w, pool, options)
	if err != nil {
		return nil, err
	}
	copy(p.Images(), noise(len(p.Images())))
	labels := p.Labels()
	for i := range labels {
		labels[i] = int32(i % g.Logits.Shape.C)
	}
	return p, nil
}

// measure times the steps and appends the result, completed by finish if there is something to complete.
func (r *stopwatch) measure(ctx context.Context, m Measurement, step func(), finish func(*Measurement) error) error {
	step() // touches all memory for the first time
	before := machine.Spent()
	for range r.Config.Steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		start := Now()
		step()
		m.Steps = append(m.Steps, Now().Sub(start))
	}
	m.WaitedShare = machine.Spent().WaitedShare(before)
	m.Mode, m.Threads, m.Precision, m.Peak = r.Mode, r.Threads, r.Precision.String(), r.peak
	seconds := median(m.Steps).Seconds()
	m.ImagesPerSecond = float64(m.Batch) / seconds
	m.GFLOPS = m.FLOPs / seconds / 1e9
	m.PeakShare = m.FLOPs / seconds / r.peak
	if finish != nil {
		if err := finish(&m); err != nil {
			return err
		}
	}
	r.results = append(r.results, m)
	r.Report(m)
	return nil
}

// median of an odd number of durations, or the lower of the two in the middle.
func median(d []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(d))
	return sorted[(len(sorted)-1)/2]
}
