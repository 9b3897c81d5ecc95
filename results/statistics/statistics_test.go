package statistics

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// rounding allows for sums of a few terms in another order.
var rounding = cmpopts.EquateApprox(0, 1e-12)

func TestByIdentity(t *testing.T) {
	ids := ByIdentity([]int32{7, 3, 7, 7}, []float64{1, 0.5, 0, 0.25}, []float64{1, 1, 1, 0})
	if diff := cmp.Diff([]float64{1.25, 0.5}, ids.Sums(0)); diff != "" {
		t.Errorf("sums (-want +got):\n%s", diff)
	}
	got := []float64{float64(ids.Len()), ids.Mean(0), ids.Mean(1)}
	if diff := cmp.Diff([]float64{2, 1.75 / 4, 0.75}, got); diff != "" {
		t.Errorf("number of identities and means (-want +got):\n%s", diff)
	}
}

// TestStandardError: the standard error of a ratio against the formula, by hand. Identities have 1, 2 and 3 queries and
// sums of 1, 1 and 3: the mean is 5/6, the residuals 1/6, -4/6, 3/6, their squares add up to 26/36, and the variance is
// 3/2 · 26/36 / 6².
func TestStandardError(t *testing.T) {
	ids := ByIdentity([]int32{1, 2, 2, 3, 3, 3}, []float64{1, 1, 0, 1, 1, 1})
	s := ids.spread(0, Difference)
	if diff := cmp.Diff([]float64{5. / 6, math.Sqrt(1.5*26/36) / 6}, []float64{s.mean, s.error}, rounding); diff != "" {
		t.Errorf("mean and standard error (-want +got):\n%s", diff)
	}
}

// TestUnvariedIntervals: where all identities agree, the interval is by hand 1 - 0.025^(1/G) of what is possible.
func TestUnvariedIntervals(t *testing.T) {
	two := 1 - math.Sqrt(tail)
	for _, test := range []struct {
		name  string
		pids  []int32
		value float64
		scale Scale
		want  Interval
	}{
		{"nobody is found", []int32{1, 2}, 0, Share, Interval{0, two}},
		{"everybody is found", []int32{1, 2}, 1, Share, Interval{1 - two, 1}},
		{"everybody is found as well", []int32{1, 2}, 0.3, Share, Interval{0.3 - two*0.3, 0.3 + two*0.7}},
		{"no difference", []int32{1, 2}, 0, Difference, Interval{-two, two}},
		{"one identity", []int32{1, 1}, 0.5, Share, Interval{0, 1}},
		{"one identity, and a difference", []int32{1}, 0.5, Difference, Interval{-1, 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			values := make([]float64, len(test.pids))
			for i := range values {
				values[i] = test.value
			}
			got := ByIdentity(test.pids, values).Intervals(test.scale)
			if diff := cmp.Diff([]Interval{test.want}, got, rounding); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestIntervalsAreInRange: whatever the sample, an interval holds the mean and stays among the figure's values.
func TestIntervalsAreInRange(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 4))
	for range 200 {
		var pids []int32
		var shares, differences []float64
		often := random.Float64()
		for range 1 + random.IntN(30) {
			pids = append(pids, random.Int32N(6))
			a, b := 0.0, 0.0
			if random.Float64() < often {
				a = 1
			}
			if random.Float64() < often {
				b = 1
			}
			shares, differences = append(shares, a), append(differences, a-b)
		}
		ids := ByIdentity(pids, shares, differences)
		for f, scale := range []Scale{Share, Difference} {
			interval := ids.intervals(scale, fewResamples)[f]
			mean := ids.Mean(f)
			if !(scale.least() <= interval.Low && interval.Low <= mean && mean <= interval.High && interval.High <= 1) {
				t.Fatalf("figure %d of %v and %v: mean %v, interval %v", f, shares, differences, mean, interval)
			}
		}
	}
}

func TestSignFlipsOfFew(t *testing.T) {
	for _, test := range []struct {
		name string
		sums []float64
		want float64 // by counting assignments
	}{
		{"none", nil, 1},
		{"no difference", []float64{0, 0}, 1},
		{"one", []float64{2}, 1},
		{"all on one side: 2 of 8", []float64{1, 2, 4}, 0.25},
		{"total 5, as far: ±(4+2-1), ±(4+2+1): 4 of 8", []float64{-1, 2, 4}, 0.5},
		{"total 0", []float64{1, 1, -2}, 1},
		{"rounding counts for nothing", []float64{1e-16, 1e-16, 1e-16}, 1},
		{"zeros count for nothing", []float64{0, 1, 2, 0, 4}, 0.25},
		{"tied totals, in sums that are rounded: 8 of 16", []float64{0.1, 0.2, 0.3, -0.2}, 0.5},
		{"all of twenty on one side", slicesOf(1, 20), math.Ldexp(1, -19)},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := SignFlips(test.sums); got != test.want {
				t.Errorf("%v, not %v", got, test.want)
			}
		})
	}
}

func slicesOf(value float64, n int) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = value
	}
	return values
}

// TestSignFlipsOfMany: drawn assignments of signs tell what all of them do. The error of a share p of 99,999 is
// √(p(1-p)/99,999), 0.0016 at most; five times that is beyond chance.
func TestSignFlipsOfMany(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 5))
	for _, shift := range []float64{0, 0.3, 0.6} {
		var sums []float64
		size := 0.0
		for range exactPairs {
			sums = append(sums, shift+random.NormFloat64())
			size += math.Abs(sums[len(sums)-1])
		}
		want := SignFlips(sums)
		got := drawn(sums, math.Abs(total(sums))-1e-10*size)
		if math.Abs(got-want) > 0.008 {
			t.Errorf("shift %v: %v of drawn assignments, %v of all", shift, got, want)
		}
	}
	if got, want := SignFlips(slicesOf(1, 40)), 1./100000; got != want {
		t.Errorf("forty on one side: %v, not %v: never zero, by the +1 rule", got, want)
	}
}

// TestSignFlipsAreFair: where there is no difference, a chance of at most 0.05 comes up in one of twenty tests. The
// error of that share of 4,000 is 0.0034; three times that is beyond chance.
func TestSignFlipsAreFair(t *testing.T) {
	random := rand.New(rand.NewPCG(6, 6))
	const tests = 4000
	small := 0
	for range tests {
		sums := make([]float64, 10)
		for i := range sums {
			sums[i] = random.NormFloat64() * (1 + float64(i)) // identities need not be alike
		}
		if SignFlips(sums) <= 0.05 {
			small++
		}
	}
	if share := float64(small) / tests; math.Abs(share-0.05) > 0.0103 {
		t.Errorf("%.4f of the tests find what is not there, not 0.05", share)
	}
}

func TestHolm(t *testing.T) {
	for _, test := range []struct {
		name   string
		p      []float64
		family int
		want   []float64
	}{
		{"none", nil, 0, []float64{}},
		// By hand: 0.01·4, 0.015·3 = 0.045, 0.02·2 = 0.04 but no less than before, 0.5·1.
		{"of four", []float64{0.5, 0.01, 0.02, 0.015}, 4, []float64{0.5, 0.04, 0.045, 0.045}},
		{"at most one", []float64{0.6, 0.7}, 2, []float64{1, 1}},
		{"of a larger family", []float64{0.01, 0.002}, 6, []float64{0.05, 0.012}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, Holm(test.p, test.family), rounding); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestAgreement holds correlations to values by hand.
func TestAgreement(t *testing.T) {
	for _, test := range []struct {
		name              string
		x, y              []float64
		tau, rho, differs float64
	}{
		{"the same order", []float64{1, 2, 3, 4}, []float64{10, 20, 30, 50}, 1, 1, 25},
		{"the other way round", []float64{1, 2, 3}, []float64{3, 2, 1}, -1, -1, 4. / 3},
		// Of six pairs one is the wrong way round: τ = (5-1)/6; Σd² = 2: ρ = 1 - 6·2/(4·15).
		{"neighbours swapped", []float64{1, 2, 3, 4}, []float64{1, 3, 2, 4}, 4. / 6, 0.8, 0.5},
		// Pairs: 5 of 6 are untied in x, 5 in y; 4 concordant, none discordant, as each tie is one side's.
		// Ranks 1 2.5 2.5 4 and 1 2 3.5 3.5: products of the distances from 2.5 add up to 3.75, squares to 4.5 each.
		{"ties", []float64{1, 2, 2, 3}, []float64{1, 2, 3, 3}, 4. / 5, 3.75 / 4.5, 0.25},
		{"all the same", []float64{1, 1}, []float64{1, 2}, math.NaN(), math.NaN(), 0.5},
	} {
		t.Run(test.name, func(t *testing.T) {
			x, y := test.x, test.y
			got := []float64{KendallTauB(x, y), SpearmanRho(x, y), MeanAbsoluteDifference(x, y)}
			want := []float64{test.tau, test.rho, test.differs}
			if diff := cmp.Diff(want, got, rounding, cmpopts.EquateNaNs()); diff != "" {
				t.Errorf("τ-b, ρ, mean absolute difference (-want +got):\n%s", diff)
			}
		})
	}
}
