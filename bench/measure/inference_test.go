package measure

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/bench/machine"
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

// TestInferrer: the runs of one image take 1, 2, … 10 ms in turn, 1 s being over after 184 of them; those of batches
// 400, 200, 300 and 800 ms. The first of either is left out.
func TestInferrer(t *testing.T) {
	clock := &stepClock{took: func(i int) time.Duration {
		if i < 184 {
			return time.Duration(1+i%10) * time.Millisecond
		}
		return []time.Duration{400, 200, 300, 800}[i-184] * time.Millisecond
	}}
	inferrer := NewInferrer(1, gemm.FP32, clock.read)
	times := []machine.CPUTime{
		{Ran: time.Second, Waited: time.Hour}, {Ran: 4 * time.Second, Waited: time.Hour + time.Second},
	}
	inferrer.spent = func() (t machine.CPUTime) {
		t, times = times[0], times[1:]
		return t
	}
	got, err := inferrer.Measure(t.Context(), tinymodel.New("tiny"))
	if err != nil {
		t.Fatal(err)
	}
	want := results.Inference{
		Threads: 1, Precision: "fp32", Latency: results.Latency{P50: 5, P90: 9, P99: 10, Runs: 183},
		Batch: 32, ImagesPerSecond: 32 / 0.3, WaitedShare: 0.25,
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
	for _, test := range []struct {
		least  int
		step   time.Duration
		counts int
	}{
		{3, 0, 19}, {3, time.Millisecond, 19}, {3, 100 * time.Millisecond, 9}, {3, time.Second, 2}, {3, time.Hour, 2},
		{1, 100 * time.Millisecond, 9}, {1, 700 * time.Millisecond, 1}, {1, time.Second, 1}, {1, time.Hour, 1},
	} {
		clock := &stepClock{took: func(i int) time.Duration { return test.step + time.Duration(i) }}
		times, err := budget{time.Second, test.least, 20}.measure(t.Context(), clock.read, func() {})
		if err != nil || len(times) != test.counts {
			t.Errorf("at least %d, steps of %v: %d count, %v; want %d",
				test.least, test.step, len(times), err, test.counts)
			continue
		}
		if alone := clock.calls == 2; !alone && times[0] != test.step+1 {
			t.Errorf("at least %d, steps of %v: the first one counts beside others", test.least, test.step)
		}
	}
}

// TestPercentile: of n times, the one of rank p·n/100, rounded up.
func TestPercentile(t *testing.T) {
	for _, test := range []struct {
		n       int
		percent float64
		want    time.Duration
	}{
		{1, 50, 1}, {2, 50, 1}, {10, 50, 5}, {10, 90, 9}, {10, 91, 10}, {10, 99, 10}, {100, 99, 99}, {101, 99, 100},
	} {
		var sorted []time.Duration
		for i := range test.n {
			sorted = append(sorted, time.Duration(1+i))
		}
		if got := percentile(sorted, test.percent); got != test.want {
			t.Errorf("p%v of 1 to %d is %d, want %d", test.percent, test.n, got, test.want)
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
