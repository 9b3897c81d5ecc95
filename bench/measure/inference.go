package measure

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"github.com/reidbench/reidbench/bench/machine"
	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/flops"
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/models/graph"
	"github.com/reidbench/reidbench/results"
)

// ThroughputBatch is how many images are in the batches that throughput is measured with.
const ThroughputBatch = 32

// A budget says how often a step is measured: until that has taken so long, but within bounds.
type budget struct {
	time        time.Duration
	least, most int
}

// They are so short that all 34 rows fit into four minutes on two cores: of the largest, one batch takes longer.
var (
	latencyBudget    = budget{time.Second, 11, 501}
	throughputBudget = budget{time.Second, 1, 9}
)

// errStandingClock is the error where time does not pass.
var errStandingClock = errors.New("the clock stands still")

// An Inferrer measures what using models costs, those of the same layers once.
type Inferrer struct {
	threads   int
	precision gemm.Precision
	now       func() time.Time
	spent     func() machine.CPUTime
	known     map[string]results.Inference // by layers
}

// NewInferrer measures with a number of threads, one per CPU if it is below 1; now is the clock.
func NewInferrer(threads int, precision gemm.Precision, now func() time.Time) *Inferrer {
	return &Inferrer{machine.Threads(threads), precision, now, machine.Spent, map[string]results.Inference{}}
}

// Measure returns what using a model costs, by runs on noise with random weights. A panic of the model's is an error.
// If ctx ends, the error is its cause, and nothing is kept of the model.
func (i *Inferrer) Measure(ctx context.Context, m models.Model) (results.Inference, error) {
	var of results.Inference
	err := parallel.Guard(func() (err error) {
		of, err = i.measure(ctx, m)
		return err
	})
	if err != nil && ctx.Err() != nil {
		return results.Inference{}, ctx.Err()
	}
	if err != nil {
		return results.Inference{}, fmt.Errorf("measuring %s: %w", m.Name, err)
	}
	return of, nil
}

// Needs is the memory in bytes that [Inferrer.Measure] is going to take.
func (i *Inferrer) Needs(m models.Model) (int64, error) {
	g, err := m.Graph(flops.IdentityCount)
	if err != nil {
		return 0, err
	}
	var most int64
	for _, batch := range []int{1, ThroughputBatch} {
		planned, err := train.Plan(g, i.threads, i.options(batch))
		if err != nil {
			return 0, err
		}
		most = max(most, planned.Total())
	}
	return most, nil
}

// options are those of a program for batches.
func (i *Inferrer) options(batch int) train.Options {
	return train.Options{Batch: batch, Stage: train.Inference, Precision: i.precision}
}

func (i *Inferrer) measure(ctx context.Context, m models.Model) (results.Inference, error) {
	g, err := m.Graph(flops.IdentityCount)
	if err != nil {
		return results.Inference{}, err
	}
	key := layersOf(g)
	if known, ok := i.known[key]; ok {
		return known, nil
	}
	debug.FreeOSMemory() // what came before has left
	before := machine.HeldMemory()
	peakKnown := machine.ResetPeakMemory() == nil && before > 0
	pool := parallel.NewPool(i.threads)
	defer pool.Close()
	w := train.NewWeights(g, 1)
	of := results.Inference{Threads: i.threads, Precision: i.precision.String(), Batch: ThroughputBatch}

	spentBefore := i.spent()

	planned, times, err := i.forward(ctx, pool, g, w, 1, latencyBudget)
	if err != nil {
		return results.Inference{}, err
	}
	of.PlannedBytes, of.Latency = planned, latencyOf(times)
	debug.FreeOSMemory() // the program for one image

	planned, times, err = i.forward(ctx, pool, g, w, ThroughputBatch, throughputBudget)
	if err != nil {
		return results.Inference{}, err
	}
	of.BatchPlannedBytes, of.ImagesPerSecond = planned, ThroughputBatch/median(times).Seconds()
	if peakKnown {
		of.PeakBytes = max(machine.PeakMemory()-before, 0)
	}
	of.WaitedShare = i.spent().WaitedShare(spentBefore)
	i.known[key] = of
	return of, nil
}

// forward returns what a program for batches takes, and how long its runs do.
func (i *Inferrer) forward(
	ctx context.Context, pool *parallel.Pool, g *graph.Graph, w *train.Weights, batch int, b budget,
) (planned int64, times []time.Duration, err error) {
	p, err := compile(g, w, pool, i.options(batch))
	if err != nil {
		return 0, nil, err
	}
	var stop atomic.Bool
	p.Watch(&stop)
	defer context.AfterFunc(ctx, func() { stop.Store(true) })()
	p.Forward(1) // computes the constants
	if times, err = b.measure(ctx, i.now, func() { p.Forward(batch) }); err != nil {
		return 0, nil, err
	}
	if median(times) <= 0 {
		return 0, nil, errStandingClock
	}
	return p.Memory().Total(), times, nil
}

// measure times steps. The first one touches memory that none has touched before: it counts only where it alone
// exhausts the budget, and such memory is little beside its work. A step that ctx has cut short counts for nothing.
func (b budget) measure(ctx context.Context, now func() time.Time, step func()) ([]time.Duration, error) {
	var times []time.Duration
	var spent time.Duration
	for len(times) < b.least || len(times) < b.most && spent < b.time {
		start := now()
		step()
		took := now().Sub(start)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		times = append(times, took)
		spent += took
	}
	if len(times) > 1 {
		times = times[1:]
	}
	return times, nil
}

func latencyOf(times []time.Duration) results.Latency {
	sorted := slices.Sorted(slices.Values(times))
	return results.Latency{
		P50: milliseconds(percentile(sorted, 50)), P90: milliseconds(percentile(sorted, 90)),
		P99: milliseconds(percentile(sorted, 99)), Runs: len(times),
	}
}

// percentile is the shortest of sorted times that percent of all are no longer than (the nearest rank).
func percentile(sorted []time.Duration, percent float64) time.Duration {
	return sorted[int(math.Ceil(percent*float64(len(sorted))/100))-1]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
