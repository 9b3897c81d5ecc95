package market1501

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/reidbench/reidbench/kernels/parallel"
)

// naiveRerank follows the paper's sections 3.2 to 3.5 over whole matrices in float64:
// out[q][g] is the re-ranked distance.
func naiveRerank(query, gallery *Features, metric Metric, r Rerank) [][]float64 {
	queries, n := query.Len(), query.Len()+gallery.Len()
	row := func(i int) []float32 {
		if i < queries {
			return query.Row(i)
		}
		return gallery.Row(i - queries)
	}
	original, rank := make([][]float64, n), make([][]int, n)
	for i := range n {
		original[i], rank[i] = make([]float64, n), make([]int, n)
		for j := range n {
			rank[i][j] = j
			if i != j {
				original[i][j] = naiveDistance(row(i), row(j), metric)
			}
		}
		if largest := slices.Max(original[i]); largest > 0 {
			for j := range n {
				original[i][j] /= largest
			}
		}
		sort.SliceStable(rank[i], func(a, b int) bool {
			a, b = rank[i][a], rank[i][b]
			if a == i || b == i {
				return a == i && b != i
			}
			return original[i][a] < original[i][b]
		})
	}
	near := func(i, k int) []int { return rank[i][:min(k, n)] }
	reciprocal := func(i, k int) map[int]bool {
		set := map[int]bool{}
		for _, j := range near(i, k+1) {
			if slices.Contains(near(j, k+1), i) {
				set[j] = true
			}
		}
		return set
	}
	vectors := make([][]float64, n)
	for i := range n {
		vectors[i] = make([]float64, n)
		core := reciprocal(i, r.K1)
		expanded := map[int]bool{}
		for j := range core {
			expanded[j] = true
			own, common := reciprocal(j, int(math.RoundToEven(float64(r.K1)/2))), 0
			for o := range own {
				if core[o] {
					common++
				}
			}
			if float64(common) > 2./3*float64(len(own)) {
				for o := range own {
					expanded[o] = true
				}
			}
		}
		sum := 0.0
		for j := range n {
			if expanded[j] {
				vectors[i][j] = math.Exp(-original[i][j])
				sum += vectors[i][j]
			}
		}
		for j := range n {
			vectors[i][j] /= sum
		}
	}
	averaged := make([][]float64, n)
	for i := range n {
		averaged[i] = make([]float64, n)
		for j := range n {
			for _, k := range near(i, r.K2) {
				averaged[i][j] += vectors[k][j]
			}
			averaged[i][j] /= float64(len(near(i, r.K2)))
		}
	}
	out := make([][]float64, queries)
	for q := range queries {
		out[q] = make([]float64, gallery.Len())
		for g := range out[q] {
			smaller := 0.0
			for j := range n {
				smaller += min(averaged[q][j], averaged[queries+g][j])
			}
			jaccard := 1 - smaller/(2-smaller)
			out[q][g] = (1-r.Lambda)*jaccard + r.Lambda*original[q][queries+g]
		}
	}
	return out
}

// rerankedDistances are those that Evaluate would judge.
func rerankedDistances(t *testing.T, query, gallery *Features, metric Metric, r Rerank, threads int) [][]float32 {
	t.Helper()
	pool := parallel.NewPool(threads)
	defer pool.Close()
	reranker, err := newReranker(context.Background(), pool, query, gallery, metric, r)
	if err != nil {
		t.Fatal(err)
	}
	d, err := newDistances(query, gallery, metric, threads)
	if err != nil {
		t.Fatal(err)
	}
	d.fill(pool, 0, query.Len())
	out := make([][]float32, query.Len())
	for q := range out {
		offset, scale := d.exact(q)
		reranker.rerank(q%threads, q, d.row(q), offset, scale)
		out[q] = slices.Clone(d.row(q))
	}
	return out
}

var rerankCases = []Rerank{PublishedRerank(), {5, 3, 0.3}, {1, 1, 0}, {7, 1, 0.5}, {3, 9, 1}, {1000, 1000, 0.2}}

func TestRerankEqualsNaive(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for trial := range 120 {
		rerank := rerankCases[trial%len(rerankCases)]
		// Few levels make ties and images that are alike; all distances are exact in float32.
		dim, levels := 1+r.IntN(5), []int{0, 1, 3, 100}[r.IntN(4)]
		query := randomFeatures(r, 1+r.IntN(12), dim, 5, 3, levels)
		gallery := randomFeatures(r, 1+r.IntN(60), dim, 5, 3, levels)
		want := naiveRerank(query, gallery, Euclidean, rerank)
		for q, row := range rerankedDistances(t, query, gallery, Euclidean, rerank, 1+trial%3) {
			for g, got := range row {
				if got != float32(want[q][g]) { // the same sums in the same order, rounded once
					t.Fatalf("trial %d, %+v, query %d, gallery image %d: %v, want %v",
						trial, rerank, q, g, got, want[q][g])
				}
			}
		}
	}
}

func TestRerankCosineEqualsNaive(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for trial := range 36 {
		rerank := rerankCases[trial%len(rerankCases)]
		query, gallery := randomFeatures(r, 8, 6, 5, 3, 1), randomFeatures(r, 50, 6, 5, 3, 1)
		for _, f := range []*Features{query, gallery} {
			for i := range f.Values {
				f.Values[i] = float32(r.NormFloat64())
			}
		}
		clear(gallery.Row(3)) // is at distance 1 from all others
		want := naiveRerank(query, gallery, Cosine, rerank)
		for q, row := range rerankedDistances(t, query, gallery, Cosine, rerank, 2) {
			for g, got := range row {
				// Distances of up to 2 are rounded to float32 a few times, and then divided by the largest, which is
				// more than 1.
				if math.Abs(float64(got)-want[q][g]) > 8*0x1p-23 {
					t.Fatalf("trial %d, %+v, query %d, gallery image %d: %v, want %v",
						trial, rerank, q, g, got, want[q][g])
				}
			}
		}
	}
}

func TestEvaluateRerankedEqualsNaive(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	changed := 0
	for trial := range 36 {
		rerank := rerankCases[trial%len(rerankCases)]
		query, gallery := randomFeatures(r, 12, 4, 6, 3, 100), randomFeatures(r, 70, 4, 6, 3, 100)
		gallery.PIDs[0], gallery.CamIDs[0], query.PIDs[0], query.CamIDs[0] = 1, 1, 1, 2
		distance := naiveRerank(query, gallery, Euclidean, rerank)
		want := naiveJudge(query, gallery, func(q, g int) float64 { return float64(float32(distance[q][g])) })
		got, err := Evaluate(context.Background(), query, gallery, EvalConfig{Rerank: rerank, Threads: 1 + trial%3})
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Fatalf("trial %d, %+v: %+v\nwant %+v", trial, rerank, got, want)
		}
		if plain := naiveEvaluate(query, gallery, Euclidean); plain.MAP != got.MAP {
			changed++
		}
	}
	if changed < 18 {
		t.Errorf("re-ranking changed the mAP of %d cases only", changed)
	}
}

func TestEvaluateRefusesRerank(t *testing.T) {
	f := &Features{Dim: 1, Values: []float32{1, 2}, PIDs: []int32{1, 1}, CamIDs: []int32{1, 2}}
	for _, test := range []struct {
		rerank  Rerank
		mention string
	}{
		{Rerank{K2: 6, Lambda: 0.3}, "k1 = 0"},
		{Rerank{K1: 20, Lambda: 0.3}, "k2 = 0"},
		{Rerank{K1: 20, K2: 6, Lambda: 1.5}, "lambda = 1.5"},
		{Rerank{K1: 20, K2: 6, Lambda: math.NaN()}, "lambda = NaN"},
	} {
		_, err := Evaluate(context.Background(), f, f, EvalConfig{Rerank: test.rerank})
		if err == nil || !strings.Contains(err.Error(), test.mention) {
			t.Errorf("%+v: error %v, want one about %q", test.rerank, err, test.mention)
		}
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Evaluate(cancelled, f, f, EvalConfig{Rerank: PublishedRerank()}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
