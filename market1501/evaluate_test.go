package market1501

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/kernels/parallel"
)

// naiveDistance is the definition in float64.
func naiveDistance(a, b []float32, metric Metric) float64 {
	var squares, product, lengthA, lengthB float64
	for d := range a {
		x, y := float64(a[d]), float64(b[d])
		squares += (x - y) * (x - y)
		product += x * y
		lengthA += x * x
		lengthB += y * y
	}
	switch {
	case metric == Euclidean:
		return squares
	case lengthA > 0 && lengthB > 0:
		return 1 - product/math.Sqrt(lengthA*lengthB)
	}
	return 1
}

// naiveEvaluate follows the text of the protocol: it sorts the whole gallery for
// every query and walks down the list.
func naiveEvaluate(query, gallery *Features, metric Metric) Result {
	return naiveJudge(query, gallery, func(q, g int) float64 {
		return naiveDistance(query.Row(q), gallery.Row(g), metric)
	})
}

func naiveJudge(query, gallery *Features, distance func(q, g int) float64) (result Result) {
	tied, others := 0, 0
	for q := range query.PIDs {
		var order []int
		distances := make([]float64, gallery.Len())
		for g := range gallery.PIDs {
			junk := gallery.PIDs[g] == -1
			same := gallery.PIDs[g] == query.PIDs[q] && gallery.CamIDs[g] == query.CamIDs[q]
			if !junk && !same {
				order = append(order, g)
				distances[g] = distance(q, g)
			}
		}
		sort.SliceStable(order, func(a, b int) bool { return distances[order[a]] < distances[order[b]] })
		hits, precision, first, last := 0, 0.0, -1, -1
		trapezoid, before := 0.0, 1.0 // the precision at the image before
		match := map[float64]bool{}
		for place, g := range order {
			if query.PIDs[q] != JunkPID && gallery.PIDs[g] == query.PIDs[q] {
				hits++
				precision += float64(hits) / float64(place+1)
				trapezoid += (before + float64(hits)/float64(place+1)) / 2
				match[distances[g]] = true
				if first < 0 {
					first = place
				}
				last = place
			}
			before = float64(hits) / float64(place+1)
		}
		if hits == 0 {
			result.Skipped++
			continue
		}
		result.Queries++
		result.MAP += precision / float64(hits)
		result.MINP += float64(hits) / float64(last+1)
		result.TrapezoidMAP += trapezoid / float64(hits)
		for _, g := range order {
			if gallery.PIDs[g] != query.PIDs[q] {
				others++
				if match[distances[g]] {
					tied++
				}
			}
		}
		for k := first; k < cmcLength; k++ {
			result.CMC[k]++
		}
	}
	n := float64(result.Queries)
	for k := range result.CMC {
		result.CMC[k] /= n
	}
	result.TrapezoidMAP /= n
	result.Tied = float64(tied) / float64(max(others, 1))
	result.MAP /= n
	result.MINP /= n
	return result
}

// randomFeatures has few identities, cameras and levels, so that junk,
// distractors, ties and queries without a match all occur. Small integers make
// every distance exact in float32.
func randomFeatures(r *rand.Rand, n, dim, ids, cams, levels int) *Features {
	f := &Features{Dim: dim, Values: make([]float32, 0, n*dim)}
	for range n {
		f.PIDs = append(f.PIDs, int32(r.IntN(ids+2)-1))
		f.CamIDs = append(f.CamIDs, int32(r.IntN(cams)+1))
		for range dim {
			f.Values = append(f.Values, float32(r.IntN(2*levels+1)-levels))
		}
	}
	return f
}

func TestEvaluateEqualsNaive(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	compared, none, withSkipped := 0, 0, 0
	for trial := range 6000 {
		dim, ids, cams := 1+r.IntN(6), 1+r.IntN(8), 1+r.IntN(4)
		levels := []int{0, 1, 2, 100}[r.IntN(4)]
		query := randomFeatures(r, 1+r.IntN(12), dim, ids, cams, levels)
		gallery := randomFeatures(r, 1+r.IntN(80), dim, ids, cams, levels)

		want := naiveEvaluate(query, gallery, Euclidean)
		got, err := Evaluate(context.Background(), query, gallery, EvalConfig{Threads: 1 + trial%3})
		if want.Queries == 0 {
			none++
			if !errors.Is(err, ErrNoMatch) {
				t.Fatalf("trial %d: no query has a match, error %v", trial, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("trial %d: %v", trial, err)
		}
		compared++
		if want.Skipped > 0 {
			withSkipped++
		}
		if got != want { // both add the same terms in the same order
			t.Fatalf("trial %d: %+v\nwant %+v", trial, got, want)
		}
	}
	if compared < 4000 || none < 50 || withSkipped < 1000 {
		t.Errorf("the cases are too plain: %d compared, %d without any match, %d with skipped queries",
			compared, none, withSkipped)
	}
}

// Cosine distances are not exact, so identities are put apart by random real
// values, where ties do not occur.
func TestEvaluateCosineEqualsNaive(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for trial := range 200 {
		query, gallery := randomFeatures(r, 8, 5, 6, 3, 1), randomFeatures(r, 60, 5, 6, 3, 1)
		for _, f := range []*Features{query, gallery} {
			for i := range f.Values {
				f.Values[i] = float32(r.NormFloat64())
			}
		}
		gallery.PIDs[0], gallery.CamIDs[0], query.PIDs[0], query.CamIDs[0] = 1, 1, 1, 2
		clear(gallery.Row(1)) // a zero vector has a distance as well
		want := naiveEvaluate(query, gallery, Cosine)
		got, err := Evaluate(context.Background(), query, gallery, EvalConfig{Metric: Cosine})
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Fatalf("trial %d: %+v\nwant %+v", trial, got, want)
		}
	}
}

// A block of queries smaller than the set gives the same result.
func TestEvaluateInBlocks(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	query, gallery := randomFeatures(r, 90, 4, 9, 4, 3), randomFeatures(r, blockFloats/40, 4, 9, 4, 3)
	d, err := newDistances(query, gallery, Euclidean, 1)
	if err != nil {
		t.Fatal(err)
	}
	if d.blockQueries != 40 {
		t.Fatalf("blocks of %d queries, want 40", d.blockQueries)
	}
	whole, err := Evaluate(context.Background(), query, gallery, EvalConfig{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	var mAP float64
	var queries int
	for q := range query.PIDs {
		one := &Features{Dim: 4, Values: query.Row(q), PIDs: query.PIDs[q : q+1], CamIDs: query.CamIDs[q : q+1]}
		result, err := Evaluate(context.Background(), one, gallery, EvalConfig{Threads: 2})
		if errors.Is(err, ErrNoMatch) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		mAP += result.MAP
		queries++
	}
	if queries != whole.Queries || mAP/float64(queries) != whole.MAP {
		t.Errorf("query by query: mAP %v over %d, at once %v over %d",
			mAP/float64(queries), queries, whole.MAP, whole.Queries)
	}
}

func TestEvaluateByHand(t *testing.T) {
	query := &Features{Dim: 1, Values: []float32{0}, PIDs: []int32{7}, CamIDs: []int32{1}}
	gallery := &Features{
		Dim:    1,
		Values: []float32{0, 1, 2, 3, 3, 4},
		PIDs:   []int32{7, 0, 7, 5, 7, -1},
		CamIDs: []int32{1, 1, 2, 1, 3, 2},
	}
	// In order: same camera (out), distractor (1), match (2), other (3), match tied with it (4), junk (out).
	got, err := Evaluate(context.Background(), query, gallery, EvalConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if want := (1./2 + 2./4) / 2; got.MAP != want || got.MINP != 2./4 || got.Rank(1) != 0 || got.Rank(2) != 1 ||
		got.Rank(50) != 1 {
		t.Errorf("%+v, want mAP %v, mINP 0.5 and rank 2", got, want)
	}
}

func TestEvaluateRefuses(t *testing.T) {
	good := func() *Features {
		return &Features{Dim: 2, Values: []float32{1, 2, 3, 4}, PIDs: []int32{1, 2}, CamIDs: []int32{1, 2},
			Names: []string{"a.jpg", "b.jpg"}}
	}
	with := func(change func(*Features)) *Features {
		f := good()
		change(f)
		return f
	}
	for _, test := range []struct {
		name           string
		query, gallery *Features
		mention        string
	}{
		{"NaN", good(), with(func(f *Features) { f.Values[3] = float32(math.NaN()) }),
			"gallery: unusable features: value 1 of b.jpg is NaN"},
		{"infinite", with(func(f *Features) { f.Values[0] = float32(math.Inf(1)) }), good(),
			"value 0 of a.jpg is +Inf"},
		{"too large", with(func(f *Features) { f.Values[0] = 1e19 }), good(), "a.jpg are too large"},
		{"other length", good(), &Features{Dim: 1, Values: []float32{1}, PIDs: []int32{1}, CamIDs: []int32{1}},
			"2 values per image, gallery 1"},
		{"missing values", with(func(f *Features) { f.Values = f.Values[:3] }), good(), "3 values"},
		{"missing cameras", with(func(f *Features) { f.CamIDs = nil }), good(), "0 cameras"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Evaluate(context.Background(), test.query, test.gallery, EvalConfig{})
			if !errors.Is(err, ErrFeatures) || !strings.Contains(err.Error(), test.mention) {
				t.Errorf("error %v, want ErrFeatures with %q", err, test.mention)
			}
		})
	}
	for _, empty := range [][2]*Features{{good(), {Dim: 2}}, {{Dim: 2}, good()}} {
		if _, err := Evaluate(context.Background(), empty[0], empty[1], EvalConfig{}); !errors.Is(err, ErrNoMatch) {
			t.Errorf("empty set: %v", err)
		}
	}
	if _, err := Evaluate(context.Background(), good(), good(), EvalConfig{Metric: 9}); err == nil {
		t.Error("unknown metric")
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Evaluate(cancelled, good(), good(), EvalConfig{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestParseMetric(t *testing.T) {
	for _, m := range []Metric{Euclidean, Cosine} {
		if got, err := ParseMetric(m.String()); err != nil || got != m {
			t.Errorf("ParseMetric(%q) = %v, %v", m, got, err)
		}
	}
	if _, err := ParseMetric("manhattan"); err == nil {
		t.Error("manhattan passed")
	}
}

func TestWriteFeatures(t *testing.T) {
	query := &Features{Dim: 2, Values: []float32{0.1, -3}, PIDs: []int32{7}, CamIDs: []int32{1},
		Names: []string{"query/a.jpg"}}
	gallery := &Features{Dim: 2, Values: []float32{1e-30, 16777217, 0, 1.5}, PIDs: []int32{0, 7}, CamIDs: []int32{2, 3},
		Names: []string{"bounding_box_test/b.jpg", "bounding_box_test/c.jpg"}}
	file := filepath.Join(t.TempDir(), "features.csv")
	for range 2 { // the second replaces the first
		if err := WriteFeatures(file, query, gallery); err != nil {
			t.Fatal(err)
		}
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := `file,pid,camid,split,f0,f1
query/a.jpg,7,1,query,0.1,-3
bounding_box_test/b.jpg,0,2,gallery,1e-30,1.6777216e+07
bounding_box_test/c.jpg,7,3,gallery,0,1.5
`
	if diff := cmp.Diff(want, string(content)); diff != "" {
		t.Error(diff)
	}
	if files, _ := os.ReadDir(filepath.Dir(file)); len(files) != 1 {
		t.Errorf("left behind: %v", files)
	}
	if err := WriteFeatures(file, query, &Features{Dim: 3}); !errors.Is(err, ErrFeatures) {
		t.Errorf("different lengths: %v", err)
	}
	if err := WriteFeatures(filepath.Join(file, "below", "a", "file"), query, gallery); err == nil {
		t.Error("wrote below a file")
	}
}

func TestFeaturesFromImages(t *testing.T) {
	whole := NewFeatures(numbered(t, 3), 2)
	copy(whole.Row(2), []float32{8, 9})
	if err := whole.Append(NewFeatures(numbered(t, 2), 2)); err != nil {
		t.Fatal(err)
	}
	want := &Features{
		Dim:    2,
		Values: []float32{0, 0, 0, 0, 8, 9, 0, 0, 0, 0},
		PIDs:   []int32{100, 101, 102, 100, 101},
		CamIDs: []int32{1, 1, 1, 1, 1},
		Names:  make([]string, 5),
	}
	if diff := cmp.Diff(want, whole); diff != "" {
		t.Error(diff)
	}
	if err := whole.Append(&Features{Dim: 5}); !errors.Is(err, ErrFeatures) {
		t.Errorf("appended other lengths: %v", err)
	}
}

// TestPanicOfAWorkerIsAnError: left alone, it would end the process.
func TestPanicOfAWorkerIsAnError(t *testing.T) {
	var panicked *parallel.Panic
	err := inParallel(t.Context(), 2, 3, func(_, task int) {
		if task == 1 {
			panic("out of luck")
		}
	})
	if !errors.As(err, &panicked) {
		t.Errorf("of a task: %v", err)
	}
	dir := filepath.Join(t.TempDir(), "data")
	if err := Synthesize(t.Context(), SynthConfig{Dir: dir, IDs: 4, ImagesPerID: 4}); err != nil {
		t.Fatal(err)
	}
	d, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	unlucky := func(int, int) { panic("out of luck") }
	_, err = d.Query.Load(t.Context(), LoadConfig{Height: 8, Width: 8, Progress: unlucky})
	if !errors.As(err, &panicked) {
		t.Errorf("of the decoding of images: %v", err)
	}
}
