package results

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// people are queries of n identities, two each, with the average precisions that ap gives them.
func people(n int, ap func(pid, query int) float64) Queries {
	var queries Queries
	for pid := range n {
		for q := range 2 {
			precision := ap(pid, q)
			rank := 2
			if precision > 0.5 {
				rank = 1
			}
			queries = append(queries, queryOf(fmt.Sprintf("query/%03d_%d.jpg", pid, q), int32(pid), precision, rank))
		}
	}
	return queries
}

// TestComparePaired: eight identities that are all better under one side, by hand: 2 of 256 assignments of signs are as
// far from zero.
func TestComparePaired(t *testing.T) {
	a := people(8, func(int, int) float64 { return 0.6 })
	b := people(8, func(pid, _ int) float64 { return 0.2 + 0.01*float64(pid) })
	slices.Reverse(b) // the order says nothing
	got, err := ComparePaired([]Queries{a}, []Queries{b}, false)
	if err != nil {
		t.Fatal(err)
	}
	interval := got.Figures[mapFigure].Interval
	if !(0.3 < interval.Low && interval.Low < 0.365 && 0.365 < interval.High && interval.High < 0.4) {
		t.Errorf("interval %v of a difference of 0.33 to 0.4", interval)
	}
	for i := range got.Figures {
		got.Figures[i].Interval = got.Figures[0].Interval
	}
	is := got.Figures[0].Interval
	want := Paired{Queries: 16, Identities: 8, Figures: []PairedFigure{
		{"Rank-1", "rank1", 1, 0, 1, is, 2. / 256}, {"Rank-5", "rank5", 1, 1, 0, is, 1},
		{"Rank-10", "rank10", 1, 1, 0, is, 1},
		{"mAP", "map", 0.6, 0.235, 0.365, is, 2. / 256}, {"mINP", "minp", 0.3, 0.1175, 0.1825, is, 2. / 256},
	}}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-12)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestComparePairedOfOne: what is compared with itself differs by nothing, whoever is asked; two of which all queries
// have found the same may yet differ by other people.
func TestComparePairedOfOne(t *testing.T) {
	queries := people(8, func(pid, _ int) float64 { return 0.2 + 0.1*float64(pid) })
	two, err := ComparePaired([]Queries{queries}, []Queries{slices.Clone(queries)}, false)
	if err != nil {
		t.Fatal(err)
	}
	one := two.OfOne()
	if !two.Same || two.Identical || !one.Identical {
		t.Errorf("two: same %v, identical %v; one: identical %v", two.Same, two.Identical, one.Identical)
	}
	for f := range one.Figures {
		if i := one.Figures[f].Interval; i.Low != 0 || i.High != 0 || one.Figures[f].P != 1 {
			t.Errorf("one: %+v", one.Figures[f])
		}
		if i := two.Figures[f].Interval; !(i.Low < 0 && 0 < i.High) || two.Figures[f].P != 1 {
			t.Errorf("two: %+v", two.Figures[f])
		}
	}
	other, err := ComparePaired([]Queries{queries}, []Queries{people(8, func(pid, query int) float64 {
		return 0.2 + 0.1*float64(pid) + 0.01*float64(1-2*query) // of each person the sum is the same
	})}, false)
	if err != nil || other.Same || other.OfOne().Identical {
		t.Errorf("another: %+v, %v", other, err)
	}
}

// TestComparePairedOverSeeds: of several runs it is the mean that is compared, query by query.
func TestComparePairedOverSeeds(t *testing.T) {
	seeds := []Queries{
		people(8, func(int, int) float64 { return 0.4 }), people(8, func(int, int) float64 { return 0.8 }),
	}
	got, err := ComparePaired(seeds, []Queries{people(8, func(int, int) float64 { return 0.6 })}, false)
	if err != nil {
		t.Fatal(err)
	}
	if f := got.Figures[mapFigure]; f.P != 1 || f.A < 0.6-1e-12 || f.A > 0.6+1e-12 {
		t.Errorf("the mean of 0.4 and 0.8, and 0.6: %+v", f)
	}
	if f := got.Figures[0]; f.A != 0.5 || f.B != 1 {
		t.Errorf("Rank-1 of one seed of two, and of one: %+v", f)
	}
}

func TestComparePairedRefuses(t *testing.T) {
	some := people(3, func(int, int) float64 { return 0.5 })
	renamed, unmatched, fewer := slices.Clone(some), slices.Clone(some), some[:4]
	renamed[2].File = "query/of-another.jpg"
	unmatched[1].Outcome = Outcome{}
	for _, test := range []struct {
		name     string
		a, b     []Queries
		reranked bool
		want     string
	}{
		{"other names", []Queries{some}, []Queries{renamed}, false,
			"6 and 6 queries, of which 1 and 1 are the other's not (such as 001_0.jpg)"},
		{"fewer", []Queries{some}, []Queries{fewer}, false, "6 and 4 queries, of which 2 and 0 are"},
		{"a match less", []Queries{some}, []Queries{unmatched}, false, "6 and 5 queries"},
		{"seeds of other queries", []Queries{some, renamed}, []Queries{some}, false, "runs of the first"},
		{"not re-ranked", []Queries{some}, []Queries{some}, true, "some are not re-ranked"},
		{"no queries", []Queries{nil}, []Queries{nil}, false, "none has a match"},
	} {
		_, err := ComparePaired(test.a, test.b, test.reranked)
		if !errors.Is(err, ErrOtherQueries) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, not one that says %q", test.name, err, test.want)
		}
	}
}

func TestJudgedUnlike(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Record)
		want   string
	}{
		{"the same", func(*Record) {}, ""},
		{"another dataset", func(r *Record) { r.Dataset.Fingerprint = "feedbeef" }, "another gallery: of drawn"},
		{"other pixels", func(r *Record) { r.Images.Judged = "b" }, "other images under the same names"},
		{"other pixels, of another extent", func(r *Record) { r.Images.Judged, r.Images.Width = "b", 224 }, ""},
		{"from before images were recorded", func(r *Record) { r.Images = nil }, ""},
	} {
		a, b := inventedRecord(t, "osnet", "", 0.9), inventedRecord(t, "osnet", "", 0.9)
		a.Images = &Images{Height: 256, Width: 128, Judged: "a"}
		b.Images = &Images{Height: 256, Width: 128, Judged: "a"}
		test.change(&b)
		err := a.JudgedUnlike(&b)
		if (err == nil) != (test.want == "") ||
			err != nil && (!errors.Is(err, ErrOtherQueries) || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}
