package results

import (
	"errors"
	"io/fs"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func recordedRankings() Rankings {
	return Rankings{Format: RankingsFormat, Model: "osnet", Dataset: "f00d", Queries: 9, Lists: []RankedList{{
		Place: 5, AP: 0.5, Matches: 3, Query: Image{"query/0002_c1s1_000451_03.jpg", 2, 1},
		Heatmap: &Heatmap{Height: 1, Width: 2, Values: []float64{0.6, 0.8}},
		Nearest: []Neighbour{
			{Image: Image{"bounding_box_test/0002_c2s1_000301_01.jpg", 2, 2}, Distance: 0.25, Match: true},
			{Image: Image{"bounding_box_test/0000_c3s1_000551_02.jpg", 0, 3}, Distance: 0.5, Distractor: true},
		},
	}}}
}

func TestRankingsSurviveTheirFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := ReadRankings(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("rankings that were not recorded: %v", err)
	}
	if err := WriteRankings(dir, recordedRankings()); err != nil {
		t.Fatal(err)
	}
	got, err := ReadRankings(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(recordedRankings(), got); diff != "" {
		t.Error(diff)
	}
}

func TestRankingsRefuse(t *testing.T) {
	for name, spoil := range map[string]func(*RankedList){
		"a place beyond the last":       func(l *RankedList) { l.Place = 10 },
		"a query without a match":       func(l *RankedList) { l.Matches = 0 },
		"an average precision beyond 1": func(l *RankedList) { l.AP = 1.5 },
		"a distance that is no number":  func(l *RankedList) { l.Nearest[1].Distance = math.NaN() },
		"an image without a name":       func(l *RankedList) { l.Nearest[0].File = "" },
		"a heatmap without values":      func(l *RankedList) { l.Heatmap = &Heatmap{Height: 1, Width: 1} },
		"a heatmap that overflows": func(l *RankedList) {
			l.Nearest[0].Heatmap = &Heatmap{Height: math.MaxInt, Width: 2, Values: []float64{1, 1}}
		},
		"a heatmap below nothing": func(l *RankedList) {
			l.Nearest[0].Heatmap = &Heatmap{Height: 1, Width: 1, Values: []float64{-1}}
		},
	} {
		r := recordedRankings()
		spoil(&r.Lists[0])
		if err := WriteRankings(t.TempDir(), r); err == nil {
			t.Errorf("%s: written", name)
		}
	}
}

func FuzzParseRankings(f *testing.F) {
	f.Add(`{"format":"reidbench-rankings/1","queries":1,` +
		`"lists":[{"place":1,"ap":1,"matches":1,"nearest":[{"file":"a","distance":0}]}]}`)
	f.Add(`{"format":"reidbench-rankings/1","lists":null}`)
	f.Fuzz(func(t *testing.T, content string) {
		if r, err := parseRankings(strings.NewReader(content)); err == nil && r.validate() != nil {
			t.Errorf("%q was read as %+v", content, r)
		}
	})
}
