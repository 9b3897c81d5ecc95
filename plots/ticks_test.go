package plots

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTicks(t *testing.T) {
	labels := func(low, high float64) (got []string) {
		for _, tick := range (logTicks{}).Ticks(low, high) {
			if tick.Value < low || tick.Value > high {
				t.Errorf("tick %v outside %v to %v", tick.Value, low, high)
			}
			if tick.Label != "" {
				got = append(got, tick.Label)
			}
		}
		return got
	}
	for _, c := range []struct {
		low, high float64
		want      []string
	}{
		{0.03, 30, []string{"0.05", "0.1", "0.2", "0.5", "1", "2", "5", "10", "20"}},
		{1.5, 6, []string{"2", "5"}}, // no power of ten
		{90, 250, []string{"100", "200"}},
	} {
		if diff := cmp.Diff(c.want, labels(c.low, c.high)); diff != "" {
			t.Errorf("%v to %v (-want +got):\n%s", c.low, c.high, diff)
		}
	}
	for _, c := range []struct {
		low, high float64
		want      []string
	}{
		{43.2, 81, []string{"45", "50", "55", "60", "65", "70", "75", "80"}},
		{-6, 98, []string{"0", "20", "40", "60", "80"}},
	} {
		var percents []string
		for _, tick := range (percentTicks{}).Ticks(c.low, c.high) {
			if tick.Label != "" {
				percents = append(percents, tick.Label)
			}
		}
		if diff := cmp.Diff(c.want, percents); diff != "" {
			t.Errorf("%v to %v percent (-want +got):\n%s", c.low, c.high, diff)
		}
	}
}
