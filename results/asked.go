package results

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrColumn is wrapped by the error for a column that there is none of.
var ErrColumn = errors.New("no such column")

// ColumnKeys lists what columns of the printed report are called, those that answer first at the head.
func ColumnKeys() []string {
	var keys []string
	for _, c := range (&Report{}).allColumns() {
		keys = append(keys, c.key)
	}
	return keys
}

// CheckColumns is an error about the first of the keys that names no column.
func CheckColumns(keys []string) error {
	_, err := (&Report{}).printed(keys)
	return err
}

// printed are the report's sections, or one with the columns that are asked for.
func (r *Report) printed(keys []string) ([]section, error) {
	if len(keys) == 0 {
		return r.sections(), nil
	}
	s := section{
		facts:   slices.Concat(r.ofCosts(), r.ofRuns()),
		columns: []column{modelColumn(true)},
		groups:  r.group(func(*Line) bool { return true }),
	}
	all := r.allColumns()
	for _, key := range keys {
		i := slices.IndexFunc(all, func(c column) bool { return c.key == key })
		if i < 0 {
			return nil, fmt.Errorf("%w: %q; there are %s", ErrColumn, key, strings.Join(ColumnKeys(), ", "))
		}
		s.columns = append(s.columns, all[i])
	}
	return []section{s}, nil
}

// allColumns are those of all sections, each once, with titles that tell them apart.
func (r *Report) allColumns() []column {
	var all []column
	for _, c := range slices.Concat(
		answerColumns(), lossColumns(), []column{initialColumn}, accuracyColumns(metrics, true), countedColumns(detail),
	) {
		if slices.ContainsFunc(all, func(other column) bool { return other.key == c.key }) {
			continue
		}
		for _, part := range []struct{ suffix, title string }{
			{"_published", "paper"}, {"_difference", "Δ"}, {"_interval", "95\u00a0%"},
		} {
			if of, ok := strings.CutSuffix(c.key, part.suffix); ok {
				c.title = quantityTitle(of) + " " + part.title
			}
		}
		c.yields = 0
		all = append(all, c)
	}
	return all
}

// quantityTitle is what a quantity is called by its key.
func quantityTitle(key string) string {
	for _, m := range metrics {
		if m.key == key {
			return m.title
		}
	}
	return map[string]string{"params_m": "Params", "macs_g": "MACs"}[key]
}
