package choice

import "github.com/reidbench/reidbench/results"

// Candidates are the lines of a report of which an accuracy is known that compares with that of the others: ours where
// the runs were made as the published ones were, else the published. Params and MACs are counted as published.
func Candidates(report *results.Report) []Candidate {
	var list []Candidate
	for _, table := range report.Tables {
		for i := range table.Lines {
			l := &table.Lines[i]
			c := Candidate{Model: l.Model, Costs: costs(l)}
			switch m := l.Metrics(); {
			case m != nil && l.LikePublished():
				c.Accuracy, c.MAP, c.Rank1 = Ours, 100*m.MAP, 100*m.Rank1
			case l.Published != nil:
				c.Accuracy, c.MAP, c.Rank1 = Published, l.Published.MAP.Value(), l.Published.Rank1.Value()
			default:
				continue
			}
			list = append(list, c)
		}
	}
	return list
}

// costs are those that are known of a line.
func costs(l *results.Line) map[Cost]float64 {
	known := map[Cost]float64{}
	if c := l.Cost; c != nil {
		known[Params], known[MACs] = float64(c.PaperParams), float64(c.PaperMACs)
	}
	if i := l.Inference(); i != nil {
		known[Latency], known[Memory] = i.Latency.P50, float64(i.PlannedBytes)
	}
	for cost, v := range known {
		if !(v > 0) {
			delete(known, cost)
		}
	}
	return known
}
