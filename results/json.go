package results

import (
	"encoding/json"
	"io"
)

// ReportFormat names the layout of the JSON report.
const ReportFormat = "reidbench-report/2"

// JSON writes the report as one object:
//
//	format   "reidbench-report/2"
//	setup    what most runs share: [{label, text}]
//	agreement    of our order by mAP with the published, where like is compared with like: {rows, kendall_tau_b,
//	         spearman_rho, mean_absolute_difference}; absent where too little is
//	caveat   why differences from the published figures compare unlike things; absent where none does
//	tables   [{table: "cnn", "transformer" or "", title, rows}]
//
// and each of the rows:
//
//	model, row       the model, and the published row as printed; row is "" beside the tables
//	status           "done", "failed", "unknown" (the record can't be read) or "not run"
//	params_m, macs_g             counted as published: {ours, published, difference, match}
//	cost             single units: params, macs, matmul_macs, paper_params, paper_macs; null where unknown
//	inference        what using the model costs on a machine, as in result.json; absent where it was not measured
//	loss             of the first and of the last step: {first, last}; absent if unknown
//	map_initial      percent before the first step; absent if unknown
//	map, rank1, rank5, rank10    percent: {ours, sd, low, high, published, difference}; the difference where like is
//	                 compared with like, or that was asked for
//	minp, rank1_reranked, map_reranked, map_trapezoid    percent: {ours, sd, low, high}; published nowhere
//	p_best           how likely so large a difference in mAP from the best one is where neither is better, corrected
//	                 for all pairs; above 0.05 they can't be told apart. Absent where nothing is compared
//	notes            reasons for failures, for differing costs and for runs unlike the others
//	records          the whole run record of every seed, as in result.json, with the CMC curve
//
// low and high are the ends of the 95 % interval of ours, over the identities of the queries; absent where not known.
// Over several seeds ours is the mean and sd the sample standard deviation; with one there is no sd. Other numbers that
// are missing are null; the others have the digits of the printed tables.
func (r *Report) JSON(w io.Writer) error {
	out := jsonReport{Format: ReportFormat, Setup: r.Setup, Agreement: r.Agreement, Caveat: r.Caveat}
	for _, t := range r.Tables {
		table := jsonTable{Table: t.Table, Title: t.Table.Title()}
		for i := range t.Lines {
			table.Rows = append(table.Rows, newJSONRow(&t.Lines[i]))
		}
		out.Tables = append(out.Tables, table)
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(out)
}

type jsonReport struct {
	Format    string      `json:"format"`
	Setup     []Fact      `json:"setup"`
	Agreement *Agreement  `json:"agreement,omitempty"`
	Caveat    string      `json:"caveat,omitempty"`
	Tables    []jsonTable `json:"tables"`
}

type jsonTable struct {
	Table Table     `json:"table"`
	Title string    `json:"title"`
	Rows  []jsonRow `json:"rows"`
}

type jsonRow struct {
	Model   string         `json:"model"`
	Row     string         `json:"row"`
	State   State          `json:"status"`
	Params  jsonComparison `json:"params_m"`
	MACs    jsonComparison `json:"macs_g"`
	Cost    *Cost          `json:"cost"`
	Use     *Inference     `json:"inference,omitempty"`
	Loss    *LossRange     `json:"loss,omitempty"`
	Initial *decimal       `json:"map_initial,omitempty"`
	MAP     jsonComparison `json:"map"`
	Rank1   jsonComparison `json:"rank1"`
	Rank5   jsonComparison `json:"rank5"`
	Rank10  jsonComparison `json:"rank10"`
	MINP    jsonComparison `json:"minp"`
	Rank1RR jsonComparison `json:"rank1_reranked"`
	MAPRR   jsonComparison `json:"map_reranked"`
	MAPTrap jsonComparison `json:"map_trapezoid"`
	PBest   *float64       `json:"p_best,omitempty"`
	Notes   []string       `json:"notes"`
	Records []*Record      `json:"records"`
}

type jsonComparison struct {
	Ours       *decimal `json:"ours"`
	Deviation  *decimal `json:"sd,omitempty"`
	Low        *decimal `json:"low,omitempty"`
	High       *decimal `json:"high,omitempty"`
	Published  *decimal `json:"published"`
	Difference *decimal `json:"difference"`
	Match      *bool    `json:"match,omitempty"`
}

func newJSONRow(l *Line) jsonRow {
	row := jsonRow{
		Model: l.Model, Row: l.rowName(), State: l.State(),
		Params: newJSONCost(l.params()), MACs: newJSONCost(l.macs()),
		Cost: l.Cost, Notes: l.Notes, Records: l.Records, PBest: l.AgainstBest,
		Use: l.Inference(), Loss: l.Loss(), Initial: l.initialMAP(),
	}
	if row.Notes == nil {
		row.Notes = []string{}
	}
	if row.Records == nil {
		row.Records = []*Record{}
	}
	for key, into := range map[string]*jsonComparison{
		"map": &row.MAP, "rank1": &row.Rank1, "rank5": &row.Rank5, "rank10": &row.Rank10, "minp": &row.MINP,
		"rank1_reranked": &row.Rank1RR, "map_reranked": &row.MAPRR, "map_trapezoid": &row.MAPTrap,
	} {
		*into = newJSONComparison(metricOf(key).of(l))
	}
	return row
}

func newJSONComparison(c comparison) jsonComparison {
	return jsonComparison{
		Ours: c.ours, Deviation: c.deviation, Low: c.low, High: c.high,
		Published: c.published, Difference: c.difference(),
	}
}

func newJSONCost(c comparison) jsonComparison {
	out := newJSONComparison(c)
	if out.Difference != nil {
		match := c.matches()
		out.Match = &match
	}
	return out
}
