package results

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/reidbench/reidbench/results/visible"
)

// CSV writes one line per model, its header in machine-readable names: what was published and what it costs, then what
// our runs have come to. Rank-n, mAP and mINP are percent, over several seeds their mean with the sample standard
// deviation (_sd) beside it, and the ends of their 95 % intervals (_low, _high); a _difference from the published is
// there where like is compared with like, or that was asked for; map_p_best is the corrected p of the difference in mAP
// from the best; costs are counted as published in millions and billions, and exactly in single units, and measured in
// milliseconds, images a second and MiB. What is not known is empty. From best_epoch on, seeds are separated by blanks
// and all else is of the first run that is done.
func (r *Report) CSV(w io.Writer) error {
	out := csv.NewWriter(w)
	fields := csvFields()
	row := make([]string, len(fields))
	for i, f := range fields {
		row[i] = f.name
	}
	if err := out.Write(row); err != nil {
		return err
	}
	for l := range r.lines {
		for i, f := range fields {
			row[i] = csvText(f.of(l))
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// csvText is a cell that no spreadsheet takes for a formula: what begins like one has an apostrophe before it, unless
// it is a number.
func csvText(s string) string {
	s = visible.Text(s)
	if _, err := strconv.ParseFloat(s, 64); err == nil || s == "" || !strings.Contains("=+-@", s[:1]) {
		return s
	}
	return "'" + s
}

type csvField struct {
	name string
	of   func(*Line) string
}

func csvFields() []csvField {
	fields := []csvField{
		{"table", func(l *Line) string { return string(l.table()) }},
		{"row", func(l *Line) string { return l.rowName() }},
		{"model", func(l *Line) string { return l.Model }},
		{"status", func(l *Line) string { return string(l.State()) }},
	}
	for _, m := range metrics {
		if m.published != nil {
			fields = append(fields, csvField{m.key + "_published", func(l *Line) string {
				return orEmpty(m.of(l).published)
			}})
		}
	}
	fields = append(fields, compared("params_m", (*Line).params)...)
	fields = append(fields, csvField{"params_match", match((*Line).params)})
	fields = append(fields, compared("macs_g", (*Line).macs)...)
	fields = append(fields, csvField{"macs_match", match((*Line).macs)})
	fields = append(fields, inferenceFields()...)
	fields = append(fields, csvField{TrainingSpeed.Key, TrainingSpeed.Text})
	for _, c := range append(lossColumns(), initialColumn) {
		fields = append(fields, csvField{c.key, func(l *Line) string { return strings.Trim(c.cell(l), noFigure) }})
	}
	for _, m := range metrics {
		fields = append(fields, accuracy(m)...)
	}
	fields = append(fields, csvField{"map_p_best", func(l *Line) string {
		if l.AgainstBest == nil {
			return ""
		}
		return strconv.FormatFloat(*l.AgainstBest, 'g', 3, 64)
	}})
	for _, c := range []struct {
		name string
		of   func(*Cost) int64
	}{
		{"params", func(c *Cost) int64 { return c.Params }},
		{"macs", func(c *Cost) int64 { return c.MACs }},
		{"matmul_macs", func(c *Cost) int64 { return c.MatmulMACs }},
		{"paper_params", func(c *Cost) int64 { return c.PaperParams }},
		{"paper_macs", func(c *Cost) int64 { return c.PaperMACs }},
	} {
		fields = append(fields, csvField{c.name, func(l *Line) string {
			if l.Cost == nil {
				return ""
			}
			return strconv.FormatInt(c.of(l.Cost), 10)
		}})
	}
	fields = append(fields,
		ofBest("best_epoch", func(b *Best) string { return strconv.Itoa(b.Epoch) }),
		ofBest("best_rank1", func(b *Best) string { return percent(b.Rank1).String() }),
		ofBest("best_map", func(b *Best) string { return percent(b.MAP).String() }),
		ofRecord("epochs", func(r *Record) string { return strconv.Itoa(r.Epochs) }),
		ofRecord("recipe", func(r *Record) string { return r.Recipe.Name }),
		csvField{"seeds", func(l *Line) string { return listSeeds(l.Records, " ") }},
		ofRecord("dataset", func(r *Record) string { return r.Dataset.Name }),
		ofRecord("dataset_fingerprint", func(r *Record) string { return r.Dataset.Fingerprint }),
		ofRecord("cpu", func(r *Record) string { return r.Machine.CPU }),
		ofRecord("isa", func(r *Record) string { return r.Machine.ISA }),
		ofRecord("cores", func(r *Record) string { return strconv.Itoa(r.Machine.Cores) }),
		ofRecord("planned_bytes", func(r *Record) string { return strconv.FormatInt(r.Memory.PlannedBytes, 10) }),
		ofRecord("peak_bytes", func(r *Record) string { return strconv.FormatInt(r.Memory.PeakBytes, 10) }),
		ofRecord("started", func(r *Record) string { return timestamp(r.Timing.Started) }),
		ofRecord("finished", func(r *Record) string { return timestamp(r.Timing.Finished) }),
		ofRecord("wall_seconds", func(r *Record) string { return known(r.Timing.WallSeconds) }),
		csvField{"notes", func(l *Line) string { return strings.Join(l.Notes, " ") }},
	)
	return fields
}

// accuracy is ours, its deviation, its interval and, where it is published, the difference.
func accuracy(m metric) []csvField {
	fields := []csvField{
		{m.key, func(l *Line) string { return orEmpty(m.of(l).ours) }},
		{m.key + "_sd", func(l *Line) string { return orEmpty(m.of(l).deviation) }},
		{m.key + "_low", func(l *Line) string { return orEmpty(m.of(l).low) }},
		{m.key + "_high", func(l *Line) string { return orEmpty(m.of(l).high) }},
	}
	if m.published != nil {
		fields = append(fields, csvField{m.key + "_difference", func(l *Line) string {
			return orEmpty(m.of(l).difference())
		}})
	}
	return fields
}

func compared(key string, of func(*Line) comparison) []csvField {
	return []csvField{
		{key, func(l *Line) string { return orEmpty(of(l).ours) }},
		{key + "_published", func(l *Line) string { return orEmpty(of(l).published) }},
		{key + "_difference", func(l *Line) string { return orEmpty(of(l).difference()) }},
	}
}

func orEmpty(d *decimal) string {
	if d == nil {
		return ""
	}
	return d.String()
}

func match(of func(*Line) comparison) func(*Line) string {
	return func(l *Line) string {
		if c := of(l); c.difference() != nil {
			return strconv.FormatBool(c.matches())
		}
		return ""
	}
}

func ofRecord(name string, of func(*Record) string) csvField {
	return csvField{name, func(l *Line) string {
		if r := l.Record(); r != nil {
			return of(r)
		}
		return ""
	}}
}

func ofBest(name string, of func(*Best) string) csvField {
	return ofRecord(name, func(r *Record) string {
		if r.Best == nil {
			return ""
		}
		return of(r.Best)
	})
}

func (l *Line) table() Table {
	if l.Published == nil {
		return ""
	}
	return l.Published.Table
}

func (l *Line) rowName() string {
	if l.Published == nil {
		return ""
	}
	return l.Published.Name
}

func timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

// known is a measurement; 0 is none.
func known(v float64) string {
	if v == 0 {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
