package html

import (
	"encoding/base64"
	"fmt"
	"html/template"
)

// Ranked is what a run's final weights found for a few queries.
type Ranked struct {
	Model string
	Lists []RankedList
	Looks string // how the pictures of where it looks were made; "": there are none
}

// RankedList is one query with the nearest images of the gallery.
type RankedList struct {
	Place   string  // among all queries by average precision: "best", "median", "worst"
	AP      float64 // fraction of 1
	Query   Picture
	Nearest []Picture // nearest first
}

// Picture is one image of the dataset.
type Picture struct {
	Name       string // path in the dataset
	PID, CamID int32
	Distractor bool    // the pid is no identity
	Distance   float64 // to the query
	Match      bool    // the query's person
	JPEG       []byte  // nil: not at hand
	Looks      []byte  // where the network looks in it, a JPEG too; nil: not asked for
}

// rankedModel is a Ranked as the template shows it.
type rankedModel struct {
	Open bool
	Ranked
}

// ranked brings the lists into the report's order. The most accurate model's are open.
func (p Page) ranked(lines []line) []rankedModel {
	of := make(map[string]Ranked)
	for _, r := range p.Ranked {
		of[r.Model] = r
	}
	var all []rankedModel
	best, most := 0, -1.0
	for _, l := range lines {
		r, ok := of[l.Model]
		if !ok || len(r.Lists) == 0 {
			continue
		}
		if m := l.Metrics(); m != nil && m.MAP > most {
			best, most = len(all), m.MAP
		}
		all = append(all, rankedModel{Ranked: r})
	}
	if len(all) > 0 {
		all[best].Open = true
	}
	return all
}

// Percent is the average precision as it is printed.
func (r RankedList) Percent() string { return fmt.Sprintf("%.1f %%", 100*r.AP) }

// Source is the image within the page.
func (p Picture) Source() template.URL { return within(p.JPEG) }

// LooksSource is where the network looks in it.
func (p Picture) LooksSource() template.URL { return within(p.Looks) }

func within(jpeg []byte) template.URL {
	return template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(jpeg))
}

// Person names the identity; distractors show nobody whom anybody looks for.
func (p Picture) Person() string {
	if p.Distractor {
		return "distractor"
	}
	return fmt.Sprintf("pid %d", p.PID)
}

// Far is the distance as it is printed.
func (p Picture) Far() string { return significant(p.Distance) }
