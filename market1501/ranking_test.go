package market1501

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sort"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestRankEqualsNaive holds the lists against a gallery that is sorted as a whole.
func TestRankEqualsNaive(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for trial := range 300 {
		dim, ids, cams := 1+r.IntN(4), 1+r.IntN(5), 1+r.IntN(3)
		query := randomFeatures(r, 1+r.IntN(6), dim, ids, cams, 4)
		gallery := randomFeatures(r, 1+r.IntN(40), dim, ids, cams, 4)
		metric, top := Metric(trial%2), trial%12
		got, err := Rank(t.Context(), query, gallery, EvalConfig{Metric: metric, Threads: 1 + trial%3}, top)
		if err != nil && !errors.Is(err, ErrNoMatch) {
			t.Fatal(err)
		}
		var want []Ranking
		for q := range query.PIDs {
			if ranking := naiveRanking(query, gallery, metric, q, top); ranking.Matches > 0 {
				want = append(want, ranking)
			}
		}
		// Features are small integers: Euclidean distances are exact before the root, cosines are rounded to float32.
		diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-6), cmpopts.EquateEmpty())
		if diff != "" && metric == Euclidean {
			t.Fatalf("trial %d (-want +got):\n%s", trial, diff)
		}
		if len(want) != len(got) {
			t.Fatalf("trial %d: %d rankings, want %d", trial, len(got), len(want))
		}
	}
}

func naiveRanking(query, gallery *Features, metric Metric, q, top int) Ranking {
	r := Ranking{Query: q}
	for g := range gallery.PIDs {
		samePerson := gallery.PIDs[g] == query.PIDs[q]
		if gallery.PIDs[g] == JunkPID || samePerson && gallery.CamIDs[g] == query.CamIDs[q] {
			continue
		}
		distance := naiveDistance(query.Row(q), gallery.Row(g), metric)
		if metric == Euclidean {
			distance = math.Sqrt(distance)
		}
		r.Nearest = append(r.Nearest, Found{g, distance, samePerson && query.PIDs[q] != JunkPID})
	}
	sort.SliceStable(r.Nearest, func(a, b int) bool { return r.Nearest[a].Distance < r.Nearest[b].Distance })
	for place, found := range r.Nearest {
		if found.Match {
			r.Matches++
			r.AveragePrecision += float64(r.Matches) / float64(place+1)
		}
	}
	r.AveragePrecision /= float64(max(r.Matches, 1))
	r.Nearest = r.Nearest[:min(top, len(r.Nearest))]
	return r
}

// TestRankAgreesWithEvaluate: the mean of the rankings' average precisions is mAP, re-ranked or not.
func TestRankAgreesWithEvaluate(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	query, gallery := randomFeatures(r, 30, 8, 6, 3, 50), randomFeatures(r, 120, 8, 6, 3, 50)
	for _, config := range []EvalConfig{{}, {Metric: Cosine}, {Rerank: Rerank{K1: 8, K2: 3, Lambda: 0.3}}} {
		result, err := Evaluate(t.Context(), query, gallery, config)
		if err != nil {
			t.Fatal(err)
		}
		rankings, err := Rank(t.Context(), query, gallery, config, 10)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, ranking := range rankings {
			sum += ranking.AveragePrecision
			for k, found := range ranking.Nearest[1:] {
				if found.Distance < ranking.Nearest[k].Distance-1e-6 { // float32's rounding of distances near 1
					t.Errorf("%+v: query %d: the distances fall: %v", config, ranking.Query, ranking.Nearest)
				}
			}
		}
		if mean := sum / float64(len(rankings)); len(rankings) != result.Queries || mean != result.MAP {
			t.Errorf("%+v: %d rankings of mean AP %v, want %d of %v",
				config, len(rankings), mean, result.Queries, result.MAP)
		}
	}
}

// TestRankTellsNearImagesApart: their distance is far below what float32 keeps of their lengths.
func TestRankTellsNearImagesApart(t *testing.T) {
	query := &Features{Dim: 2, Values: []float32{3000, 4000}, PIDs: []int32{1}, CamIDs: []int32{1},
		Names: []string{"q"}}
	gallery := &Features{Dim: 2, Values: []float32{3000.25, 4000}, PIDs: []int32{1}, CamIDs: []int32{2},
		Names: []string{"g"}}
	rankings, err := Rank(t.Context(), query, gallery, EvalConfig{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got := rankings[0].Nearest[0].Distance; got != 0.25 {
		t.Errorf("a distance of %v, want 0.25", got)
	}
}

// TestRerankedDistancesAreNotNegative: images that hardly differ share all their neighbours, and 1 less a sum of shares
// that should be 1 may be rounded to below 0.
func TestRerankedDistancesAreNotNegative(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 18))
	for range 50 {
		query, gallery := randomFeatures(r, 4, 8, 4, 3, 2), randomFeatures(r, 10, 8, 4, 3, 2)
		for _, f := range []*Features{query, gallery} {
			for i := range f.Values {
				f.Values[i] = 1 + f.Values[i]/4096
			}
		}
		rankings, err := Rank(t.Context(), query, gallery, EvalConfig{Rerank: PublishedRerank()}, 10)
		if errors.Is(err, ErrNoMatch) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, ranking := range rankings {
			for _, found := range ranking.Nearest {
				if !(found.Distance >= 0) {
					t.Fatalf("a distance of %v", found.Distance)
				}
			}
		}
	}
}

func TestRankStops(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	query, gallery := randomFeatures(r, 3, 2, 2, 2, 4), randomFeatures(r, 9, 2, 2, 2, 4)
	if _, err := Rank(ctx, query, gallery, EvalConfig{}, 5); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
}

func TestPicture(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := Synthesize(t.Context(), SynthConfig{Dir: dir, IDs: 4, TestIDs: 2, ImagesPerID: 4, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	d, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	entry := d.Query.Entries[0]
	picture, err := d.Picture(t.Context(), entry.Path)
	if err != nil {
		t.Fatal(err)
	}
	size := picture.Bounds().Size()
	images, err := d.Query.Range(0, 1).Load(t.Context(), LoadConfig{Height: size.Y, Width: size.X})
	if err != nil {
		t.Fatal(err)
	}
	var pixels []byte
	for y := range size.Y {
		for x := range size.X {
			r, g, b, _ := picture.At(x, y).RGBA()
			pixels = append(pixels, byte(r>>8), byte(g>>8), byte(b>>8))
		}
	}
	if diff := cmp.Diff(images.Pixels(0), pixels); diff != "" {
		t.Errorf("the picture is not what training sees:\n%s", diff)
	}
	broken := d.Gallery.Entries[0].Path
	if err := os.WriteFile(filepath.Join(dir, broken), []byte("no image"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Picture(t.Context(), broken); !errors.Is(err, ErrImage) {
		t.Errorf("a broken file: error %v", err)
	}
	for _, name := range []string{"query/secret.jpg", "../secret.jpg", "/etc/passwd", ""} {
		if _, err := d.Picture(t.Context(), name); err == nil || errors.Is(err, ErrImage) {
			t.Errorf("%q was opened: %v", name, err)
		}
	}
}
