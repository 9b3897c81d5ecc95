package measure

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/results"
)

// stepClock is a clock by which the step that is measured as number i takes a time of its own.
type stepClock struct {
	took  func(i int) time.Duration
	calls int
	now   time.Time
}

func (c *stepClock) read() time.Time {
	if c.calls%2 == 1 {
		c.now = c.now.Add(c.took(c.calls / 2))
	}
	c.calls++
	return c.now
}

// TestInferrer: the runs of one image take 1, 2, … 10 ms in turn, 1.5 s being over after 275 of them; those of batches
// 400, 200, 600 and 800 ms.
func TestInferrer(t *testing.T) {
	clock := &stepClock{took: func(i int) time.Duration {
		if i < 275 {
			return time.Duration(1+i%10) * time.Millisecond
		}
		return []time.Duration{400, 200, 600, 800}[i-275] * time.Millisecond
	}}
	inferrer := NewInferrer(1, gemm.FP32, clock.read)
	got, err := inferrer.Measure(t.Context(), tinymodel.New("tiny"))
	if err != nil {
		t.Fatal(err)
	}
	want := results.Inference{
		Threads: 1, Precision: "fp32", Latency: results.Latency{P50: 5, P90: 9, P99: 10, Runs: 275},
		Batch: 32, ImagesPerSecond: 32 / 0.4,
	}
	memory := cmpopts.IgnoreFields(results.Inference{}, "PlannedBytes", "BatchPlannedBytes", "PeakBytes")
	if diff := cmp.Diff(want, got, memory); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// A batch has 32 images of 32×16×3 values, where one has one.
	if more := got.BatchPlannedBytes - got.PlannedBytes; got.PlannedBytes <= 0 || more < 31*32*16*3*4 {
		t.Errorf("%d bytes for one image, %d more for a batch", got.PlannedBytes, more)
	}

	calls := clock.calls
	again, err := inferrer.Measure(t.Context(), tinymodel.New("of the same layers"))
	if diff := cmp.Diff(got, again); err != nil || diff != "" || clock.calls != calls {
		t.Errorf("measured again: %v (-first +second):\n%s", err, diff)
	}
}

func TestBudget(t *testing.T) {
	b := budget{time: time.Second, least: 3, most: 20}
	for _, test := range []struct {
		step time.Duration
		want int
	}{
		{0, 20}, {time.Millisecond, 20}, {100 * time.Millisecond, 10}, {time.Second, 3}, {time.Hour, 3},
	} {
		clock := &stepClock{took: func(int) time.Duration { return test.step }}
		steps := 0
		times, err := b.measure(t.Context(), clock.read, func() { steps++ })
		if err != nil || len(times) != test.want || steps != test.want+1 {
			t.Errorf("steps of %v: %d measured, %d run, %v; want %d, and one that is not measured",
				test.step, len(times), steps, err, test.want)
		}
	}
}

func TestInferrerFails(t *testing.T) {
	ticking := (&stepClock{took: func(int) time.Duration { return time.Millisecond }}).read
	if _, err := NewInferrer(1, gemm.FP32, ticking).Measure(t.Context(), tinymodel.Unbuildable("broken")); err == nil {
		t.Error("a model that cannot be built is measured")
	}
	still := func() time.Time { return time.Time{} }
	if _, err := NewInferrer(1, gemm.FP32, still).Measure(t.Context(), tinymodel.New("tiny")); !errors.Is(err,
		errStandingClock) {
		t.Errorf("by a clock that stands still: %v", err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	clock := &stepClock{took: func(i int) time.Duration {
		if i == 7 {
			cancel()
		}
		return time.Millisecond
	}}
	inferrer := NewInferrer(1, gemm.FP32, clock.read)
	if of, err := inferrer.Measure(ctx, tinymodel.New("tiny")); !errors.Is(err, context.Canceled) ||
		len(inferrer.known) > 0 {
		t.Errorf("interrupted in the 8th run: %+v, %v, %d kept", of, err, len(inferrer.known))
	}
	if clock.calls != 2*8 {
		t.Errorf("%d runs, 8 were to be", clock.calls/2)
	}
}
