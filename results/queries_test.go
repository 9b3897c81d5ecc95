package results

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/results/statistics"
)

func queryOf(file string, pid int32, ap float64, rank int) Query {
	return Query{Image: Image{file, pid, 1}, Outcome: Outcome{AP: ap, INP: ap / 2, FirstRank: rank}}
}

func someQueries() Queries {
	return Queries{
		queryOf("query/a.jpg", 1, 1./3, 2), queryOf("query/b.jpg", 1, 1, 1),
		queryOf("query/c.jpg", 2, 0, 0), queryOf("query/d,e.jpg", 7, 0.1, 12),
	}
}

func rerankedQueries() Queries {
	queries := someQueries()
	for i, o := range []Outcome{{0.5, 0.5, 1}, {1, 1, 1}, {}, {0.2, 0.1, 9}} {
		queries[i].Reranked = &o
	}
	return queries
}

func TestQueriesSurviveTheirFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), QueriesFile)
	if _, err := ReadQueries(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("queries that were not recorded: %v", err)
	}
	for _, want := range []Queries{someQueries(), rerankedQueries(), nil} {
		if err := WriteQueries(file, want); err != nil {
			t.Fatal(err)
		}
		got, err := ReadQueries(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestQueriesRefuse(t *testing.T) {
	for name, spoil := range map[string]func(Queries){
		"a precision beyond 1":           func(q Queries) { q[0].AP = 1.5 },
		"a penalty that is no number":    func(q Queries) { q[0].INP = math.NaN() },
		"a rank below 1":                 func(q Queries) { q[0].FirstRank = -1 },
		"a precision without a match":    func(q Queries) { q[2].AP = 0.5 },
		"no name":                        func(q Queries) { q[1].File = "" },
		"a name that stands there twice": func(q Queries) { q[1].File = q[0].File },
		"some that are not re-ranked":    func(q Queries) { q[3].Reranked = nil },
		"re-ranking that finds a match":  func(q Queries) { q[2].Reranked.FirstRank = 3 },
		"a re-ranked precision beyond 1": func(q Queries) { q[0].Reranked.AP = 2 },
	} {
		queries := rerankedQueries()
		spoil(queries)
		if err := WriteQueries(filepath.Join(t.TempDir(), QueriesFile), queries); err == nil {
			t.Errorf("%s: written", name)
		}
	}
	for _, content := range []string{
		"", "file,pid\n", "file,pid,camid,ap,inp,rank\n", "file,pid,camid,ap,inp,first_rank\na,1,1,1,1\n",
		"file,pid,camid,ap,inp,first_rank\na,1,1,1,1,one\n", "file,pid,camid,ap,inp,first_rank\na,4294967296,1,1,1,1\n",
	} {
		if queries, err := parseQueries(strings.NewReader(content)); err == nil {
			t.Errorf("%q was read as %v", content, queries)
		}
	}
}

func FuzzParseQueries(f *testing.F) {
	f.Add("file,pid,camid,ap,inp,first_rank\na,1,1,0.5,0.5,2\n")
	f.Add("file,pid,camid,ap,inp,first_rank,ap_reranked,inp_reranked,first_rank_reranked\n" +
		"\"a,b\",1,1,0.5,0.5,2,1,1,1\n")
	f.Fuzz(func(t *testing.T, content string) {
		if queries, err := parseQueries(strings.NewReader(content)); err == nil && queries.validate() != nil {
			t.Errorf("%q was read as %+v", content, queries)
		}
	})
}

// TestIntervals: the queries that have a match, by identity, are what intervals are made of.
func TestIntervals(t *testing.T) {
	want := statistics.ByIdentity([]int32{1, 1, 7},
		[]float64{0, 1, 0}, []float64{1, 1, 0}, []float64{1, 1, 0},
		[]float64{1. / 3, 1, 0.1}, []float64{1. / 6, 0.5, 0.05},
	).Intervals(statistics.Share)
	got := someQueries().Intervals()
	if diff := cmp.Diff(&Intervals{2, want[0], want[1], want[2], want[3], want[4]}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := got.validate(); err != nil {
		t.Error(err)
	}
	if someQueries().RerankedIntervals() != nil || someQueries()[2:3].Intervals() != nil {
		t.Error("intervals of nothing")
	}
	reranked := rerankedQueries().RerankedIntervals()
	if reranked == nil || reranked.MAP == got.MAP {
		t.Errorf("re-ranked: %v, and by distance %v", reranked, got)
	}
}

// TestLoadReadsQueries: a record has the queries beside it, unless they are of another evaluation.
func TestLoadReadsQueries(t *testing.T) {
	out := t.TempDir()
	for _, test := range []struct {
		model   string
		queries Queries
		mean    float64
	}{{"alexnet", someQueries(), (1./3 + 1 + 0.1) / 3}, {"osnet", nil, 0.4}, {"vgg16", someQueries(), 0.4}} {
		dir := filepath.Join(out, test.model)
		record := inventedRecord(t, test.model, "", 0.9)
		record.Final.MAP = test.mean
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := Write(dir, record); err != nil {
			t.Fatal(err)
		}
		if test.queries != nil {
			if err := WriteQueries(filepath.Join(dir, QueriesFile), test.queries); err != nil {
				t.Fatal(err)
			}
		}
	}
	records, odd, err := Load(out)
	if err != nil || len(odd) > 0 || len(records) != 3 {
		t.Fatal(records, odd, err)
	}
	if diff := cmp.Diff(someQueries(), records[0].Queries); diff != "" {
		t.Errorf("(-written +loaded):\n%s", diff)
	}
	if records[1].Queries != nil || records[1].NoQueries != "" {
		t.Errorf("queries that are not there: %v, %q", records[1].Queries, records[1].NoQueries)
	}
	if records[2].Queries != nil || !strings.Contains(records[2].NoQueries, "of another evaluation") {
		t.Errorf("queries of another evaluation: %v, %q", records[2].Queries, records[2].NoQueries)
	}
}
