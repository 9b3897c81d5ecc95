// Package html writes the report as one HTML file that needs nothing else: no network, no other file. Tables, bars and
// ranked lists are plain HTML; sorting, filtering and the charts are scripts of this package, which the page's own
// Content-Security-Policy admits by their digests, and nothing besides.
package html

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"io"
	"io/fs"
	"strings"

	"github.com/reidbench/reidbench/results"
)

// Page is what the report shows. Models are called as in the report's lines, and those that are not in the report are
// left out.
type Page struct {
	Report   *results.Report
	Networks []Network // of every line, as far as known
	Runs     []Run     // what their folders tell beside the records, finished or not
	Ranked   []Ranked  // of the runs that recorded them
	Missing  string    // why there are no pictures in some ranked lists; "" where there are
	Version  string    // of what is shown: a page that has one follows the changes at the address that it came from
}

// Network is how a model's cost divides among its stages, in its order.
type Network struct {
	Model   string
	Stages  []Stage
	Profile *results.Profile // measured in a run; nil: not known. Its stages have the same names
}

// Stage is a part of a network.
type Stage struct {
	Name          string
	Height, Width int   // of the feature map that most of its MACs put out
	Tokens        bool  // a sequence of Width tokens rather than a map
	MACs          int64 // of one image
}

// Run is one training.
type Run struct {
	Model   string
	Seed    uint64
	Epochs  int // that are planned, in all stages
	Epoch   int // that is under way, from 1; Epochs and a record say that it is over
	Loss    []Sample
	Correct []Sample // share of the training images
	MAP     []Sample // fraction of 1
	Rank1   []Sample // fraction of 1
}

// Sample is a point of a curve.
type Sample struct {
	Epoch float64 // that have passed
	Value float64
}

//go:embed assets
var assets embed.FS

// scripts in the order in which they stand in the page.
var scripts = []string{"report.js", "filter.js", "tables.js", "chart.js", "labels.js", "scatter.js", "curves.js"}

var page = template.Must(template.New("report.html").ParseFS(assets, "assets/*.html"))

// Write writes the page. The same page gives the same bytes.
func Write(w io.Writer, p Page) error {
	style := asset("report.css")
	script := script(p.Version != "")
	policy := "default-src 'none'; img-src data:; style-src " + digest(style) + "; script-src " + digest(script) +
		"; base-uri 'none'; form-action 'none'"
	if p.Version != "" {
		policy += "; connect-src 'self'"
	}
	lines := p.lines()
	return page.Execute(w, map[string]any{
		"Policy":    policy,
		"Style":     template.CSS(style),
		"Script":    template.JS(script),
		"Version":   p.Version,
		"Setup":     p.Report.Setup,
		"Agreement": p.Report.Agreement,
		"Legend":    p.Report.Legend(),
		"Tables":    []table{p.answerTable(lines), p.accuracyTable(lines), p.costTable(lines)},
		"Notes":     p.Report.Notes(),
		"Stages":    p.stages(lines),
		"Ranked":    p.ranked(lines),
		"Missing":   p.Missing,
		"Data":      p.data(lines),
	})
}

// script is what the page runs, as one block with a scope of its own.
func script(live bool) string {
	names := scripts
	if live {
		names = append(names[:len(names):len(names)], "live.js")
	}
	var all strings.Builder
	all.WriteString("(() => {\n\"use strict\";\n")
	for _, name := range names {
		all.WriteString(asset(name))
		all.WriteByte('\n')
	}
	all.WriteString("start();\n})();\n")
	return all.String()
}

func asset(name string) string {
	content, err := fs.ReadFile(assets, "assets/"+name)
	if err != nil {
		panic("html: " + err.Error()) // it is not embedded
	}
	return string(content)
}

// digest is how a policy names an inline script or style.
func digest(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// line is a line of the report with where it stands.
type line struct {
	*results.Line
	kind  string // "cnn", "transformer" or "other"
	state state
	runs  []Run
}

// lines lists the report's lines in its order.
func (p Page) lines() []line {
	var lines []line
	for t := range p.Report.Tables {
		kind := string(p.Report.Tables[t].Table)
		if kind == "" {
			kind = "other"
		}
		for i := range p.Report.Tables[t].Lines {
			l := line{Line: &p.Report.Tables[t].Lines[i], kind: kind}
			for _, r := range p.Runs {
				if r.Model == l.Model {
					l.runs = append(l.runs, r)
				}
			}
			l.state = stateOf(l)
			lines = append(lines, l)
		}
	}
	return lines
}

// best is what the report says about its best row; "" where it compares none.
func (p Page) best() string {
	for _, fact := range p.Report.Setup {
		if fact.Label == results.BestLabel {
			return fact.Text
		}
	}
	return ""
}
