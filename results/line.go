package results

import "math"

// Line is one model: a published row, its runs, or both.
type Line struct {
	Model     string
	Published *Row
	Records   []*Record  // one per seed, by seed; none: not run
	Cost      *Cost      // nil: not known
	Measured  *Inference // beside the runs, and in place of what they have measured; nil: not
	Notes     []string
	Lost      State // of runs without a record that can be read: StateUnknown or StateFailed; "": there are none
	// AgainstBest is the corrected p of the difference of its mAP from the report's best; nil: it is the best, or
	// there is nothing to compare.
	AgainstBest *float64

	compared  bool       // its accuracy stands beside the published
	found     *perQuery  // by the queries of all runs that are done; nil: not known
	overSeeds *Intervals // of the mean of several runs
}

// State is StateDone if one of the runs is done, StateFailed if all have failed, with a record or without,
// StateUnknown if none can be read, and StateNotRun if there is none.
func (l Line) State() State {
	switch {
	case len(l.Records) == 0 && l.Lost != "":
		return l.Lost
	case len(l.Records) == 0:
		return StateNotRun
	case len(l.done()) == 0:
		return StateFailed
	}
	return StateDone
}

// Record is the run that stands for all of the line's: the first that is done, else the first; nil: not run.
func (l Line) Record() *Record {
	for _, records := range [][]*Record{l.done(), l.Records} {
		if len(records) > 0 {
			return records[0]
		}
	}
	return nil
}

// Metrics is the mean of the final metrics of all runs that are done; nil if none is. A figure that not all of them
// have is left out.
func (l Line) Metrics() *Metrics {
	final := l.final()
	if len(final) == 0 {
		return nil
	}
	return combine(final, mean)
}

// Deviation is, figure by figure, the sample standard deviation of the final metrics of all runs that are done; nil if
// those are fewer than two.
func (l Line) Deviation() *Metrics {
	final := l.final()
	if len(final) < 2 {
		return nil
	}
	return combine(final, sampleDeviation)
}

func (l Line) done() []*Record {
	var done []*Record
	for _, r := range l.Records {
		if r.State == StateDone {
			done = append(done, r)
		}
	}
	return done
}

func (l Line) final() []*Metrics {
	var final []*Metrics
	for _, r := range l.done() {
		final = append(final, r.Final)
	}
	return final
}

// combine makes one evaluation of several.
func combine(all []*Metrics, statistic func([]float64) float64) *Metrics {
	values := make([]float64, len(all))
	of := func(figure func(*Metrics) float64) float64 {
		for i, m := range all {
			values[i] = figure(m)
		}
		return statistic(values)
	}
	ranks, knownMINP, knownTrapezoid := len(all[0].CMC), true, true
	var reranked []*Metrics
	for _, m := range all {
		ranks, knownMINP = min(ranks, len(m.CMC)), knownMINP && m.MINP > 0
		knownTrapezoid = knownTrapezoid && m.TrapezoidMAP > 0
		if m.Reranked != nil {
			reranked = append(reranked, m.Reranked)
		}
	}
	combined := &Metrics{
		Rank1:  of(func(m *Metrics) float64 { return m.Rank1 }),
		Rank5:  of(func(m *Metrics) float64 { return m.Rank5 }),
		Rank10: of(func(m *Metrics) float64 { return m.Rank10 }),
		MAP:    of(func(m *Metrics) float64 { return m.MAP }),
	}
	if knownMINP {
		combined.MINP = of(func(m *Metrics) float64 { return m.MINP })
	}
	if knownTrapezoid {
		combined.TrapezoidMAP = of(func(m *Metrics) float64 { return m.TrapezoidMAP })
	}
	for k := range ranks {
		combined.CMC = append(combined.CMC, of(func(m *Metrics) float64 { return m.CMC[k] }))
	}
	if len(reranked) == len(all) {
		combined.Reranked = combine(reranked, statistic)
	}
	return combined
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// sampleDeviation divides the squared differences from the mean by one less than there are values.
func sampleDeviation(values []float64) float64 {
	m, sum := mean(values), 0.0
	for _, v := range values {
		sum += (v - m) * (v - m)
	}
	return math.Sqrt(sum / float64(len(values)-1))
}
