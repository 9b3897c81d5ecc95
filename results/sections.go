package results

import (
	"slices"
	"strings"
)

// section is a part of the printed report: a table of some lines, and what is to be known of it.
type section struct {
	title   string
	facts   []Fact // of the runs that it is about
	above   string // why not to take it for more than it is; "": nothing
	legend  string
	columns []column // the first is the model's
	groups  []lineGroup
}

// lineGroup are a section's lines of one published table, or beside them.
type lineGroup struct {
	table Table
	lines []*Line
}

// sections are the printed report's: first what was published against what it costs here, then what our runs have come
// to. Each of their lines stands in one of these: beside the published where like is compared with like, or that was
// asked for; in a table of what was learned from drawn images; or alone.
func (r *Report) sections() []section {
	if r.oursAlone {
		return r.ran()
	}
	return append([]section{r.answer()}, r.ran()...)
}

// ran are the sections about our runs.
func (r *Report) ran() []section {
	var ran []section
	for _, of := range []struct {
		kind lineKind
		make func([]*Line) section
	}{
		{besidePublished, r.comparison}, {ofDrawnImages, r.learned}, {alone, r.accuracy},
	} {
		groups := r.group(func(l *Line) bool { return r.kindOf(l) == of.kind })
		if len(groups) == 0 {
			continue
		}
		s := of.make(section{groups: groups}.lines())
		s.groups = groups
		ran = append(ran, s)
	}
	if len(ran) > 0 {
		ran[0].facts = r.ofRuns()
	}
	return ran
}

// CostCaution says what the table of costs lacks; "": nothing.
func (r *Report) CostCaution() string { return r.answer().above }

// RunCautions say why not to take for more than it is what our runs have come to.
func (r *Report) RunCautions() []string {
	var all []string
	for _, s := range r.ran() {
		if s.above != "" {
			all = append(all, s.above)
		}
	}
	return all
}

// Compared reports whether the line's accuracy stands beside the published.
func (l *Line) Compared() bool { return l.compared }

type lineKind int

const (
	notRun lineKind = iota
	besidePublished
	ofDrawnImages
	alone
)

// kindOf says where our figures of a line belong. Of a line whose runs can't be read, nobody knows.
func (r *Report) kindOf(l *Line) lineKind {
	record := l.Record()
	switch {
	case l.State() == StateNotRun:
		return notRun
	case r.oursAlone || record == nil:
		return alone
	case l.compared:
		return besidePublished
	case record.Dataset.Synthetic:
		return ofDrawnImages
	}
	return alone
}

// group parts the lines that are wanted by their tables.
func (r *Report) group(wanted func(*Line) bool) []lineGroup {
	var groups []lineGroup
	for t := range r.Tables {
		g := lineGroup{table: r.Tables[t].Table}
		for i := range r.Tables[t].Lines {
			if l := &r.Tables[t].Lines[i]; wanted(l) {
				g.lines = append(g.lines, l)
			}
		}
		if len(g.lines) > 0 {
			groups = append(groups, g)
		}
	}
	return groups
}

// ofAll are the facts about all of the report, ofCosts those about what was measured, ofRuns those about its runs.
func (r *Report) ofAll() []Fact   { return r.labelled(agreementLabel, leftOutLabel) }
func (r *Report) ofCosts() []Fact { return r.labelled(inferenceLabel) }

func (r *Report) ofRuns() []Fact {
	return slices.DeleteFunc(slices.Clone(r.Setup), func(f Fact) bool {
		return slices.Contains([]string{agreementLabel, leftOutLabel, inferenceLabel}, f.Label)
	})
}

func (r *Report) labelled(labels ...string) []Fact {
	return slices.DeleteFunc(slices.Clone(r.Setup), func(f Fact) bool { return !slices.Contains(labels, f.Label) })
}

const paperLegend = " paper: the published figure; Δ: ours less the published; ✓: all printed digits agree."

const costLegend = "Params and MACs: counted as published, for one 256×128 image, without the final classifier. "

// answer is the published accuracy against what it costs here.
func (r *Report) answer() section {
	s := section{
		title:   "Published accuracy, and what it costs here",
		facts:   r.ofCosts(),
		legend:  "mAP and Rank-1: percent on Market-1501, as published. " + costLegend,
		columns: append([]column{modelColumn(false)}, answerColumns()...),
		groups:  r.group(func(*Line) bool { return true }),
	}
	known := false
	for _, q := range MeasuredCosts() {
		if some(s.lines(), func(l *Line) bool { return q.Of(l) > 0 }) {
			s.legend += q.legend
			known = known || q.Key == LatencyP50.Key
			continue
		}
		s.columns = slices.DeleteFunc(s.columns, func(c column) bool { return c.key == q.Key })
	}
	if !known {
		s.above = "No latency has been measured: reidbench measure all --out measured.json, then report --measured " +
			"measured.json."
	}
	s.legend += "–: not known. *: see the notes."
	return s
}

// lines are the section's, in its order.
func (s section) lines() []*Line {
	var lines []*Line
	for _, g := range s.groups {
		lines = append(lines, g.lines...)
	}
	return lines
}

// learned is what runs on drawn images have come to.
func (r *Report) learned(lines []*Line) section {
	s := section{
		title: "What the runs on drawn pedestrians have learned",
		above: "It shows that each network trains here from end to end, and how far its loss has fallen in so few " +
			"steps. It does not show which network is best, nor what it would reach on photographs.",
		columns: []column{modelColumn(true)},
	}
	if some(lines, func(l *Line) bool { return l.Loss() != nil }) {
		s.legend = "Loss: of the first and of the last step's batch. "
		s.columns = append(s.columns, lossColumns()...)
	}
	s.legend += "mAP: percent, of people who were not trained on"
	title := "mAP"
	if some(lines, func(l *Line) bool { return l.initialMAP() != nil }) {
		title = "mAP after"
		s.legend += ", before the first step and after the last; before, – where judging it would have taken more " +
			"than a tenth of the recipe's budget"
		s.columns = append(s.columns, initialColumn)
	}
	s.legend += "." + r.legendOf()
	meanAP := metricOf("map")
	s.columns = append(s.columns, column{"map", title, false, 0, func(l *Line) string {
		return l.stateOr(meanAP.of(l).oursText())
	}})
	if some(lines, func(l *Line) bool { return meanAP.of(l).low != nil }) {
		s.columns = append(s.columns, intervalColumn(meanAP, 4))
	}
	for _, c := range accuracyColumns(shownMetrics(lines), false) {
		if strings.HasSuffix(c.key, "_reranked") || strings.HasSuffix(c.key, "_trapezoid") { // it was asked for
			s.columns = append(s.columns, c)
		}
	}
	return s
}

// comparison has our accuracies beside the published ones.
func (r *Report) comparison(lines []*Line) section {
	above := r.Caveat
	random := func(l *Line) bool { return l.State() == StateDone && l.Record().Pretrained == nil }
	if above == "" && some(lines, random) {
		above = "The published figures begin with ImageNet's weights, some of ours with random ones."
	}
	return section{
		title:  "Ours beside the published",
		above:  above,
		legend: quantityLegend(lines) + paperLegend + " " + costLegend + "*: see the notes." + r.legendOf(),
		columns: slices.Concat(
			[]column{modelColumn(true)}, accuracyColumns(shownMetrics(lines), true), countedColumns(detail)),
	}
}

// accuracy has our accuracies alone.
func (r *Report) accuracy(lines []*Line) section {
	above := ""
	if why := r.unlikeness(); !r.oursAlone && why != "" {
		above = why + " --compare sets them side by side all the same."
	}
	return section{
		title:   "What the runs have come to",
		above:   above,
		legend:  quantityLegend(lines) + " *: see the notes." + r.legendOf(),
		columns: append([]column{modelColumn(true)}, accuracyColumns(shownMetrics(lines), false)...),
	}
}

func quantityLegend(lines []*Line) string {
	legend := "Rank-n and mAP in percent."
	if some(lines, func(l *Line) bool { return l.Metrics() != nil && l.Metrics().MINP > 0 }) {
		legend = "Rank-n, mAP and mINP (mean inverse negative penalty) in percent."
	}
	if some(lines, func(l *Line) bool { return l.Metrics() != nil && l.Metrics().TrapezoidMAP > 0 }) {
		legend += " mAP: the mean of the precisions at hits; mAP trapezoid: as Market-1501's Matlab code has it."
	}
	if some(lines, func(l *Line) bool { return l.Metrics() != nil && l.Metrics().Reranked != nil }) {
		legend += " RR: after k-reciprocal re-ranking."
	}
	return legend
}

// legendOf explains what stands beside our figures.
func (r *Report) legendOf() string {
	deviation, interval, tied := "", "", ""
	for l := range r.lines {
		if l.Deviation() != nil {
			deviation = " ±: the sample standard deviation over seeds."
		}
		if l.Intervals() != nil {
			interval = " 95 %: the interval of ours, over the identities of the queries."
		}
		if l.Tied() {
			tied = " " + tiedMark + ": can't be told apart from the best mAP."
		}
	}
	return deviation + interval + tied
}

// Legend explains all the columns that there are.
func (r *Report) Legend() string {
	var lines []*Line
	for l := range r.lines {
		lines = append(lines, l)
	}
	return r.answer().legend + " " + quantityLegend(lines) + " Loss: of the first and of the last step's batch." +
		r.legendOf() + paperLegend
}
