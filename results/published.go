// Package results holds what is known about every row of the comparison: the published figures, the records of
// finished runs, and the report that puts the two side by side.
package results

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Table says which of the comparison's two tables a row stands in.
type Table string

const (
	CNNs         Table = "cnn"
	Transformers Table = "transformer"
)

// Title is the table's heading in reports.
func (t Table) Title() string {
	switch t {
	case CNNs:
		return "CNNs"
	case Transformers:
		return "Transformers"
	}
	return "Beside the tables"
}

// Figure is a published number with the digits it was printed with: "0.997", "57.00".
type Figure string

// Value is the figure as a number; 0 for an empty one.
func (f Figure) Value() float64 {
	v, _ := strconv.ParseFloat(string(f), 64)
	return v
}

// Decimals counts the digits printed after the point.
func (f Figure) Decimals() int {
	_, fraction, _ := strings.Cut(string(f), ".")
	return len(fraction)
}

// Row is one published row. Rank-n and mAP are percent on Market-1501; ParamsM counts millions of parameters without
// the final classifier, MACsG billions of multiply-accumulates of one 256×128 image, both under the published counting.
type Row struct {
	Name    string `json:"row"`   // as printed: "DeiT-T16(256,128)"
	Model   string `json:"model"` // the same without the input size: "DeiT-T16"
	Table   Table  `json:"table"`
	Rank1   Figure `json:"rank1"`
	Rank5   Figure `json:"rank5"`
	Rank10  Figure `json:"rank10"`
	MAP     Figure `json:"map"`
	ParamsM Figure `json:"params_m"`
	MACsG   Figure `json:"macs_g"`
	// CostsDiffer is the reason why the printed params or MACs are not the network's own; empty where they are.
	CostsDiffer string `json:"costs_differ,omitempty"`
}

//go:embed published.json
var publishedJSON []byte

var published = sync.OnceValue(func() []Row {
	rows, err := parsePublished(publishedJSON)
	if err != nil {
		panic("results: published.json: " + err.Error())
	}
	return rows
})

// Published returns the 34 rows in the printed order, the CNNs' table before the transformers'.
func Published() []Row { return slices.Clone(published()) }

// Find returns the row with the given printed name, or with that name less its input size.
func Find(name string) (Row, bool) {
	for _, r := range published() {
		if name == r.Name || name == r.Model {
			return r, true
		}
	}
	return Row{}, false
}

func parsePublished(data []byte) ([]Row, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var rows []Row
	if err := decoder.Decode(&rows); err != nil {
		return nil, err
	}
	seen := make(map[string]bool)
	for _, r := range rows {
		if r.Name == "" || seen[r.Name] || seen[r.Model] {
			return nil, fmt.Errorf("row %q: name empty or used twice", r.Name)
		}
		seen[r.Name], seen[r.Model] = true, true
		if r.Table != CNNs && r.Table != Transformers {
			return nil, fmt.Errorf("row %s: unknown table %q", r.Name, r.Table)
		}
		for _, f := range []Figure{r.Rank1, r.Rank5, r.Rank10, r.MAP, r.ParamsM, r.MACsG} {
			if v, err := strconv.ParseFloat(string(f), 64); err != nil || v <= 0 {
				return nil, fmt.Errorf("row %s: %q is not a positive number", r.Name, f)
			}
		}
	}
	return rows, nil
}
