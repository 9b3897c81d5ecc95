package results

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/reidbench/reidbench/results/grammar"
)

// describeRuns states what most runs share and notes on a line where a run of it differs.
func (r *Report) describeRuns() {
	each := func(of func(*Record) string) func(*Line) []statement {
		return func(l *Line) []statement { return l.statements(of) }
	}
	r.state("Recipe", each(func(r *Record) string { return r.Recipe.String() }))
	r.state("Dataset", each(func(r *Record) string { return r.Dataset.String() }))
	r.state("Seed", func(l *Line) []statement {
		if len(l.Records) == 0 {
			return nil
		}
		return []statement{{text: listSeeds(l.Records, ", "), runs: l.Records}}
	})
	r.state("Machine", each(func(r *Record) string { return r.Machine.String() }))

	r.Setup = append(r.Setup, Fact{rowsLabel, r.countRows()})
}

// rowsLabel is that of the fact which countRows tells.
const rowsLabel = "Rows"

// mostMissing is up to how many rows that were not run are named: tables of our runs are without them.
const mostMissing = 10

// countRows says how many of the published rows have come how far.
func (r *Report) countRows() string {
	rows := make(map[State][]string)
	for l := range r.lines {
		if l.Published != nil {
			rows[l.State()] = append(rows[l.State()], l.Model)
		}
	}
	unread, missing := "", ""
	if n := len(rows[StateUnknown]); n > 0 {
		unread = fmt.Sprintf("%d with a record that can't be read, ", n)
	}
	if names := rows[StateNotRun]; len(names) > 0 && len(names) <= mostMissing {
		missing = ": " + strings.Join(names, ", ")
	}
	return fmt.Sprintf("%d of %d done, %d failed, %s%d not run%s", len(rows[StateDone]), len(Published()),
		len(rows[StateFailed]), unread, len(rows[StateNotRun]), missing)
}

// statement is something that is true of some of a line's runs.
type statement struct {
	text string
	runs []*Record
}

// statements puts together runs for which the same is true.
func (l *Line) statements(of func(*Record) string) []statement {
	var all []statement
	for _, r := range l.Records {
		text := of(r)
		i := slices.IndexFunc(all, func(s statement) bool { return s.text == text })
		if i < 0 {
			i = len(all)
			all = append(all, statement{text: text})
		}
		all[i].runs = append(all[i].runs, r)
	}
	return all
}

// state adds what is true of most lines as a fact, and what else there is to the notes of its lines.
func (r *Report) state(label string, of func(*Line) []statement) {
	votes := make(map[string]int)
	for l := range r.lines {
		for _, s := range of(l) {
			votes[s.text]++
		}
	}
	if len(votes) == 0 {
		return
	}
	common := ""
	for l := range r.lines { // of equally frequent ones, the first in the table's order
		for _, s := range of(l) {
			if votes[s.text] > votes[common] {
				common = s.text
			}
		}
	}
	r.Setup = append(r.Setup, Fact{label, common})
	for l := range r.lines {
		for _, s := range of(l) {
			if s.text != common {
				l.Notes = append(l.Notes, fmt.Sprintf("%s of %s: %s.", label, l.which(s.runs), s.text))
			}
		}
	}
}

// which names some of a line's runs.
func (l *Line) which(runs []*Record) string {
	switch {
	case len(l.Records) == 1:
		return "this run"
	case len(runs) == len(l.Records):
		return "these runs"
	case len(runs) == 1:
		return "seed " + listSeeds(runs, ", ")
	}
	return "seeds " + listSeeds(runs, ", ")
}

func listSeeds(runs []*Record, separator string) string {
	var seeds []string
	for _, r := range runs {
		seeds = append(seeds, strconv.FormatUint(r.Seed, 10))
	}
	return strings.Join(seeds, separator)
}

// annotate adds the reasons for failures and for costs whose digits are not the published ones.
func (r *Report) annotate() {
	for l := range r.lines {
		began := make(map[Pretrained]bool)
		for _, record := range l.Records {
			if record.State == StateFailed {
				l.Notes = append(l.Notes, l.failure(record))
			}
			if p := record.Pretrained; p != nil && !began[*p] {
				began[*p] = true
				l.Notes = append(l.Notes, fmt.Sprintf("Began with the weights of %s, SHA-256 %.8s….", p.File, p.SHA256))
			}
		}
		if l.Published == nil || l.Cost == nil {
			continue
		}
		if params, macs := l.params(), l.macs(); params.matches() && macs.matches() {
			continue
		}
		if reason := l.Published.CostsDiffer; reason != "" {
			l.Notes = append(l.Notes, reason)
		} else {
			l.Notes = append(l.Notes, "The costs are not the published ones, and no reason is known.")
		}
	}
}

// failure says why a run failed, and which if there are several.
func (l *Line) failure(r *Record) string {
	if len(l.Records) > 1 {
		return fmt.Sprintf("Seed %d failed: %s", r.Seed, r.Reason)
	}
	return "Failed: " + r.Reason
}

// String names the dataset with its counts and the start of its fingerprint.
func (d Dataset) String() string {
	name := d.Name
	if d.Synthetic {
		name += ", synthetic"
	}
	return fmt.Sprintf("%s, fingerprint %.12s: %s of %s, %s, %s", name, d.Fingerprint,
		grammar.Count(d.Train, "training image", "training images"),
		grammar.Count(d.Identities, "identity", "identities"),
		grammar.Count(d.Query, "query", "queries"), grammar.Count(d.Gallery, "gallery image", "gallery images"))
}

func (m Machine) String() string {
	return fmt.Sprintf("%s, %s, %s, %s/%s, %s",
		m.CPU, m.ISA, grammar.Count(m.Cores, "core", "cores"), m.OS, m.Arch, m.Go)
}
