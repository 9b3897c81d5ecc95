package statistics

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Interval has both ends of a 95 % interval.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// tail is the chance that an interval leaves on either side.
const tail = 0.025

// resamples is chosen so that the tails end at order statistics: 125 and 4,875 of 5,000 less one. Their own noise is
// about a fiftieth of the interval's width.
const resamples = 4999

// bootstrapSeed makes intervals repeat.
const bootstrapSeed = 1

// Intervals gives each figure's mean over queries a 95 % interval: the studentised bootstrap (Efron and Tibshirani,
// "An Introduction to the Bootstrap", 1993, sections 12.5 and 12.6) over identities, which keeps the queries of one
// together (Davison and Hinkley, "Bootstrap Methods and their Application", 1997, section 3.8). The mean is the ratio
// of a sum to a number of queries that is itself drawn; its standard error is that of a ratio (Cochran, "Sampling
// Techniques", 1977, section 6.4). A resample in which all identities have the same figure has no standard error of its
// own and takes the sample's.
//
// Of percentile, basic, BCa and studentised intervals, with and without the scale's transformation, this one came
// nearest to 95 % in simulations from 10 to 100 identities and from means of 0.14 to 0.97; package tests hold it to
// that.
//
// Memory is some numbers per identity and one per figure and resample. Time is proportional to identities, figures and
// resamples: a fifth of a second for five figures of 750 identities.
func (ids Identities) Intervals(scale Scale) []Interval { return ids.intervals(scale, resamples) }

func (ids Identities) intervals(scale Scale, resamples int) []Interval {
	figures := make([]spread, len(ids.sums))
	for f := range figures {
		figures[f] = ids.spread(f, scale)
	}
	g := ids.Len()
	if g > 1 {
		ids.resample(figures, resamples)
	}
	intervals := make([]Interval, len(figures))
	for f := range figures {
		intervals[f] = figures[f].interval(g)
	}
	return intervals
}

// spread is how far a figure's mean is from those of resamples.
type spread struct {
	scale     Scale
	mean      float64
	value     float64   // mean on the scale
	error     float64   // the standard error there; 0: all identities have the same figure
	residuals []float64 // of identities: sum less mean times queries
	t         []float64 // of resamples
}

func (ids Identities) spread(figure int, scale Scale) spread {
	s := spread{scale: scale, mean: ids.Mean(figure), residuals: make([]float64, ids.Len())}
	var sums moments
	for g, sum := range ids.sums[figure] {
		s.residuals[g] = sum - s.mean*ids.queries[g]
		sums.add(s.residuals[g], ids.queries[g])
	}
	all := counts{}
	for _, n := range ids.queries {
		all.add(n)
	}
	var slope float64
	s.value, slope = scale.transform(s.mean)
	if _, e := sums.ratio(all, ids.Len()); e > 0 && !math.IsInf(slope, 0) {
		s.error = e * slope
	}
	return s
}

// resample draws as many identities as there are, again and again.
func (ids Identities) resample(figures []spread, resamples int) {
	g := ids.Len()
	drawn := make([]int, g)
	for b := range resamples {
		random := rand.New(rand.NewPCG(bootstrapSeed, uint64(b)))
		all := counts{}
		for i := range drawn {
			drawn[i] = random.IntN(g)
			all.add(ids.queries[drawn[i]])
		}
		for f := range figures {
			s := &figures[f]
			if s.error == 0 {
				continue
			}
			var sums moments
			for _, i := range drawn {
				sums.add(s.residuals[i], ids.queries[i])
			}
			away, e := sums.ratio(all, g)
			value, slope := s.scale.transform(s.mean + away)
			e *= slope
			if !(e > 0) || math.IsInf(e, 0) {
				e = s.error
			}
			s.t = append(s.t, (value-s.value)/e)
		}
	}
}

func (s *spread) interval(identities int) Interval {
	if s.error == 0 {
		return s.unvaried(identities)
	}
	slices.Sort(s.t)
	below := int(math.Round(float64(len(s.t)+1)*tail)) - 1
	return Interval{
		Low:  min(s.scale.restore(s.value-s.error*s.t[len(s.t)-1-below]), s.mean),
		High: max(s.scale.restore(s.value-s.error*s.t[below]), s.mean),
	}
}

// unvaried is the interval of a figure that all identities agree on, of which resampling says nothing. A part p of all
// people may be of another kind, and none of it be seen among g with a chance of (1-p)^g; the interval has room for the
// largest p for which that chance is a tail, and for whatever that part's figure is.
func (s *spread) unvaried(identities int) Interval {
	unseen := 1 - math.Pow(tail, 1/float64(identities))
	if identities < 2 {
		unseen = 1
	}
	return Interval{Low: s.mean - unseen*(s.mean-s.scale.least()), High: s.mean + unseen*(1-s.mean)}
}

// counts are the numbers of queries of a resample's identities.
type counts struct{ sum, squares float64 }

func (c *counts) add(queries float64) {
	c.sum += queries
	c.squares += queries * queries
}

// moments are those of residuals around the sample's mean.
type moments struct{ sum, squares, mixed float64 }

func (m *moments) add(residual, queries float64) {
	m.sum += residual
	m.squares += residual * residual
	m.mixed += residual * queries
}

// roundedAway is a variance, in parts of a query's squared range, that is nothing but the rounding of residuals.
const roundedAway = 1e-24

// ratio is the mean's distance from the sample's, and its standard error.
func (m moments) ratio(all counts, identities int) (away, standardError float64) {
	away = m.sum / all.sum
	variance := m.squares - 2*away*m.mixed + away*away*all.squares
	if variance <= roundedAway*all.squares {
		return away, 0
	}
	g := float64(identities)
	return away, math.Sqrt(variance*g/(g-1)) / all.sum
}
