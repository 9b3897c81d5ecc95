package results

import "fmt"

// warnOfRuns notes on a line what its runs left out or learned from, and in what they are not like the others.
func (r *Report) warnOfRuns() {
	for l := range r.lines {
		for _, about := range []struct {
			format string
			of     func(*Record) string
		}{
			{"Left out of %s: %s.", (*Record).leftOut},
			{"Left out of %s: %s.", (*Record).misnamed},
			{"Not read by %s, among the images: %s.", (*Record).unread},
			{"The figures of %s flatter: %s.", (*Record).leaked},
			{"The features of %s have collapsed: %s.", (*Record).collapsed},
			{"Teacher of %s: %s.", (*Record).taught},
			{"Costs of %s: %s.", (*Record).otherCost},
			{"What the queries of %s have found is not known: %s.", func(r *Record) string { return r.NoQueries }},
		} {
			for _, s := range l.statements(about.of) {
				if s.text != "" {
					l.Notes = append(l.Notes, fmt.Sprintf(about.format, l.which(s.runs), s.text))
				}
			}
		}
	}
	seen := func(digest func(*Images) string) func(*Record) likeness {
		return func(r *Record) likeness {
			if r.Images == nil {
				return likeness{}
			}
			return likeness{fmt.Sprint(r.Dataset.Fingerprint, r.Images.Height, r.Images.Width), digest(r.Images)}
		}
	}
	const sameNames = "of %s: others than most runs had, under the same names and with the same sizes."
	r.markUnlike("Training images "+sameNames, seen(func(m *Images) string { return m.Trained }))
	r.markUnlike("Query and gallery images "+sameNames, seen(func(m *Images) string { return m.Judged }))
	r.markUnlike("Teacher of %s: another than most runs with that seed had.", func(r *Record) likeness {
		if r.Teacher == nil {
			return likeness{}
		}
		return likeness{fmt.Sprint(r.Dataset.Fingerprint, r.Seed), fmt.Sprint(r.Teacher)}
	})
	r.markOldTeachers()
}

// markOldTeachers notes which runs learned from a teacher that has been trained anew since, to other weights.
func (r *Report) markOldTeachers() {
	weights := make(map[run]string)
	for record := range r.records {
		weights[run{record.Model, record.Seed}] = record.Weights
	}
	for l := range r.lines {
		for _, record := range l.Records {
			if t := record.Teacher; t != nil {
				if now := weights[run{t.Model, record.Seed}]; now != "" && now != t.SHA256 {
					which := l.which([]*Record{record})
					l.Notes = append(l.Notes, "Teacher of "+which+": has been trained anew since, to other weights.")
				}
			}
		}
	}
}

// likeness is something that ought to be the same in all runs of a group.
type likeness struct{ group, value string }

// markUnlike notes on a line which of its runs have another value than most of their group. Runs whose value is not
// known have none. format has room for the runs.
func (r *Report) markUnlike(format string, of func(*Record) likeness) {
	votes := make(map[likeness]int)
	for record := range r.records {
		if its := of(record); its.value != "" {
			votes[its]++
		}
	}
	most := make(map[string]likeness) // by group; of equally frequent ones, the first in the table's order
	for record := range r.records {
		its := of(record)
		if votes[its] > votes[most[its.group]] {
			most[its.group] = its
		}
	}
	for l := range r.lines {
		var unlike []*Record
		for _, record := range l.Records {
			if its := of(record); votes[its] > 0 && its != most[its.group] {
				unlike = append(unlike, record)
			}
		}
		if len(unlike) > 0 {
			l.Notes = append(l.Notes, fmt.Sprintf(format, l.which(unlike)))
		}
	}
}

// records walks the runs of all lines.
func (r *Report) records(yield func(*Record) bool) {
	for l := range r.lines {
		for _, record := range l.Records {
			if !yield(record) {
				return
			}
		}
	}
}
