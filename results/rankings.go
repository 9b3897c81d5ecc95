package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/reidbench/reidbench/results/atomicfile"
	"github.com/reidbench/reidbench/results/regular"
)

// RankingsFile is the name of a run's ranked lists in its folder.
const RankingsFile = "rankings.json"

// RankingsFormat names the layout of ranked lists; those of another format are refused.
const RankingsFormat = "reidbench-rankings/1"

// Rankings are what some queries find in the gallery.
type Rankings struct {
	Format  string       `json:"format"`
	Model   string       `json:"model"`
	Dataset string       `json:"dataset"` // fingerprint
	Queries int          `json:"queries"` // that have a match; the lists are some of these
	Lists   []RankedList `json:"lists"`
	// Heatmaps says how those of the images were made, "activation" or "rollout"; "": there are none.
	Heatmaps string `json:"heatmaps,omitempty"`
}

// RankedList is one query with the head of its gallery.
type RankedList struct {
	Place   int         `json:"place"`   // among all queries by average precision, from 1, the best
	AP      float64     `json:"ap"`      // average precision, a fraction of 1
	Matches int         `json:"matches"` // in the whole gallery
	Query   Image       `json:"query"`
	Heatmap *Heatmap    `json:"heatmap,omitempty"` // where the network looks in the query; nil: not asked for
	Nearest []Neighbour `json:"nearest"`           // nearest first
}

// Image names an image of a dataset.
type Image struct {
	File  string `json:"file"` // path in the dataset, with slashes
	PID   int32  `json:"pid"`
	CamID int32  `json:"camid"`
}

// Neighbour is a gallery image in a list.
type Neighbour struct {
	Image
	Distance float64 `json:"distance"`
	Match    bool    `json:"match"` // the query's person
	// Distractor says that the pid is no identity.
	Distractor bool     `json:"distractor,omitempty"`
	Heatmap    *Heatmap `json:"heatmap,omitempty"` // nil: not asked for
}

// WriteRankings stores ranked lists as dir/rankings.json, whole or not at all. It fills in the format.
func WriteRankings(dir string, r Rankings) error {
	path := filepath.Join(dir, RankingsFile)
	r.Format = RankingsFormat
	if err := r.validate(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	})
}

// ReadRankings returns the lists in dir/rankings.json. The error is fs.ErrNotExist where none were recorded.
func ReadRankings(dir string) (Rankings, error) {
	path := filepath.Join(dir, RankingsFile)
	f, err := regular.Open(path)
	if err != nil {
		return Rankings{}, err
	}
	defer f.Close()
	r, err := parseRankings(f)
	if err != nil {
		return Rankings{}, fmt.Errorf("read %s: %w", path, err)
	}
	return r, nil
}

func parseRankings(r io.Reader) (Rankings, error) {
	var rankings Rankings
	if err := decodeStrictly(io.LimitReader(r, maxRecordBytes), &rankings); err != nil {
		return Rankings{}, err
	}
	return rankings, rankings.validate()
}

func (r Rankings) validate() error {
	if r.Format != RankingsFormat {
		return fmt.Errorf("format is %q, want %q", r.Format, RankingsFormat)
	}
	for _, l := range r.Lists {
		if l.Place < 1 || l.Place > r.Queries || l.Matches < 1 {
			return fmt.Errorf("query %d of %d, with %d matches", l.Place, r.Queries, l.Matches)
		}
		if !(l.AP >= 0 && l.AP <= 1) {
			return fmt.Errorf("an average precision of %v", l.AP)
		}
		if err := l.Heatmap.validate(); err != nil {
			return fmt.Errorf("%s: %w", l.Query.File, err)
		}
		for _, n := range l.Nearest {
			if err := n.Heatmap.validate(); err != nil {
				return fmt.Errorf("%s: %w", n.File, err)
			}
			if !(n.Distance >= 0) {
				return fmt.Errorf("%s is at a distance of %v", n.File, n.Distance)
			}
			if n.File == "" {
				return errors.New("an image without a name")
			}
		}
	}
	return nil
}
