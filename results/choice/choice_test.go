package choice

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// of makes a candidate of its mAP, Rank-1, millions of params, billions of MACs, and, if they are known, milliseconds
// and megabytes.
func of(model string, mAP, rank1, params, macs float64, measured ...float64) Candidate {
	costs := map[Cost]float64{Params: params * 1e6, MACs: macs * 1e9}
	c := Candidate{Model: model, MAP: mAP, Rank1: rank1, Costs: costs}
	for i, v := range measured {
		c.Costs[[]Cost{Latency, Memory}[i]] = v * []float64{1, 1e6}[i]
	}
	return c
}

// outline prints a choice: model, * for the front; <who beats it; ?what is not known; >what is too much.
func outline(c Choice) []string {
	var lines []string
	for _, f := range c.Fitting {
		lines = append(lines, f.Model+map[bool]string{true: "*"}[f.Front])
	}
	for _, b := range c.Beaten {
		lines = append(lines, b.Model+" < "+b.By)
	}
	for _, u := range c.Unknown {
		lines = append(lines, fmt.Sprint(u.Model, " ? ", u.Lacks))
	}
	for _, o := range c.Over {
		lines = append(lines, fmt.Sprint(o.Model, " > ", o.Exceeds))
	}
	return lines
}

func TestChoose(t *testing.T) {
	for _, test := range []struct {
		name       string
		candidates []Candidate
		limits     Limits
		want       []string
		frontBy    []Cost
	}{
		{"nothing", nil, nil, nil, []Cost{Latency}},
		{
			"sorted by mAP, then Rank-1, then name",
			[]Candidate{of("c", 50, 70, 1, 1), of("b", 50, 71, 2, 2), of("a", 50, 70, 1, 1), of("d", 60, 60, 3, 3)},
			nil, []string{"d*", "b", "a*", "c*"}, []Cost{MACs},
		},
		{
			"as good and dearer is beaten, as good and as dear is not",
			[]Candidate{of("a", 50, 70, 1, 1), of("b", 50, 70, 1, 1), of("c", 50, 70, 1, 2)}, nil,
			[]string{"a*", "b*", "c < a"}, []Cost{MACs},
		},
		{
			"the better one of those that beat it is named",
			[]Candidate{of("a", 40, 60, 5, 5), of("b", 45, 65, 4, 4), of("c", 50, 70, 3, 3)}, nil,
			[]string{"c*", "b < c", "a < c"}, []Cost{MACs},
		},
		{
			"who beats is within the limits",
			[]Candidate{of("a", 40, 60, 5, 5, 10), of("b", 45, 65, 4, 4, 9), of("c", 50, 70, 3, 3, 30)},
			Limits{Latency: 20}, []string{"b*", "a < b", "c > [latency_ms]"}, []Cost{Latency},
		},
		{
			"a limit includes itself",
			[]Candidate{of("a", 40, 60, 5, 5), of("b", 45, 65, 5.1, 4)}, Limits{Params: 5e6, MACs: 5e9},
			[]string{"a*", "b > [params]"}, []Cost{Params, MACs},
		},
		{
			"too much is too much whatever else is not known; all limits that are passed are named",
			[]Candidate{of("a", 40, 60, 5, 5), of("b", 45, 65, 3, 6), of("c", 46, 66, 3, 3)},
			Limits{Params: 4e6, MACs: 4e9, Memory: 1e8},
			[]string{"c ? [memory_bytes]", "b > [macs]", "a > [params macs]"}, []Cost{Params, MACs, Memory},
		},
		{
			"two of which not the same is known are not compared",
			[]Candidate{of("a", 40, 60, 5, 5, 10), of("b", 45, 65, 4, 4)}, nil,
			[]string{"b*", "a"}, []Cost{MACs},
		},
		{
			"the front without limits is about latency where it is known of all",
			[]Candidate{of("a", 40, 60, 5, 5, 20), of("b", 45, 65, 6, 6, 10), of("c", 50, 70, 7, 7, 30)}, nil,
			[]string{"c*", "b*", "a"}, []Cost{Latency},
		},
		{
			"the front is about the costs that are limited",
			[]Candidate{of("a", 40, 60, 3, 1), of("b", 45, 65, 2, 2), of("c", 50, 70, 4, 3)}, Limits{Params: 1e7},
			[]string{"c*", "b*", "a"}, []Cost{Params},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := Choose(test.candidates, test.limits)
			if diff := cmp.Diff(test.want, outline(got)); diff != "" {
				t.Errorf("choice (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.frontBy, got.FrontBy); diff != "" {
				t.Errorf("front by (-want +got):\n%s", diff)
			}
		})
	}
}

// TestChooseProperties of random candidates: each is in one part; whoever beats another fits, and beats it; none that
// fits is beaten by one that fits; and the front has the best mAP, and leaves nothing out that has more at less.
func TestChooseProperties(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var candidates []Candidate
		few := func() float64 { return float64(1 + random.IntN(4)) } // so that many are the same
		for i := range random.IntN(12) {
			c := of(string(rune('a'+i)), few(), few(), few(), few())
			if random.IntN(4) > 0 {
				c.Costs[Latency] = few()
			}
			candidates = append(candidates, c)
		}
		limits := Limits{}
		for cost, most := range map[Cost]float64{Params: 3e6, MACs: 3e9, Latency: 3} {
			if random.IntN(2) == 0 {
				limits[cost] = most
			}
		}
		got := Choose(candidates, limits)
		if n := len(got.Fitting) + len(got.Beaten) + len(got.Unknown) + len(got.Over); n != len(candidates) {
			t.Fatalf("%d of %d candidates are in the parts", n, len(candidates))
		}
		for _, b := range got.Beaten {
			i := slices.IndexFunc(got.Fitting, func(f Fitting) bool { return f.Model == b.By })
			if i < 0 || !b.beatenBy(got.Fitting[i].Candidate) {
				t.Fatalf("%v is not beaten by %s", b, b.By)
			}
		}
		for i, f := range got.Fitting {
			if slices.ContainsFunc(got.Fitting, func(other Fitting) bool { return f.beatenBy(other.Candidate) }) {
				t.Fatalf("%v fits, and is beaten", f)
			}
			dominated := slices.ContainsFunc(got.Fitting, func(other Fitting) bool {
				return other.Front && better(append(costsOf(f.Candidate, other.Candidate, got.FrontBy),
					sides{other.MAP, f.MAP}))
			})
			if f.Front == dominated {
				t.Fatalf("%v: dominated by the front is %v", f, dominated)
			}
			if i > 0 && f.MAP > got.Fitting[i-1].MAP {
				t.Fatalf("%v stands too low", f)
			}
		}
	}
}

func TestParseLimit(t *testing.T) {
	for _, test := range []struct {
		cost Cost
		text string
		want float64 // 0: an error
	}{
		{Params, "10M", 1e7}, {Params, "2.5m", 2.5e6}, {Params, "2500000", 2.5e6}, {Params, "800k", 8e5},
		{MACs, "2G", 2e9}, {MACs, "1e9", 1e9}, {MACs, "0.5G", 5e8},
		{Params, "", 0}, {Params, "M", 0}, {Params, "-1M", 0}, {Params, "0", 0}, {Params, "NaN", 0}, {Params, "Inf", 0},
		{Params, "10MB", 0}, {Params, "10 M", 0}, {MACs, "1e308G", 0}, {MACs, "two", 0},
		{Latency, "20ms", 20}, {Latency, "1.5s", 1500}, {Latency, "800us", 0.8}, {Latency, "20", 0},
		{Latency, "-1s", 0}, {Latency, "0s", 0}, {Latency, "fast", 0},
		{Memory, "300MB", 3e8}, {Memory, "300mb", 3e8}, {Memory, "256MiB", 256 << 20}, {Memory, "1.5GB", 1.5e9},
		{Memory, "1GiB", 1 << 30}, {Memory, "64KiB", 64 << 10}, {Memory, "64KB", 64e3}, {Memory, "100B", 100},
		{Memory, "300", 0}, {Memory, "MB", 0}, {Memory, "300M", 0},
	} {
		got, err := ParseLimit(test.cost, test.text)
		if (err != nil) != (test.want == 0) || got != test.want {
			t.Errorf("%s %q is %v, %v; want %v", test.cost, test.text, got, err, test.want)
		}
	}
}
