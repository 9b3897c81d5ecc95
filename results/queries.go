package results

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/reidbench/reidbench/results/atomicfile"
	"github.com/reidbench/reidbench/results/regular"
)

// QueriesFile is the name of what each query has found, in a run's folder: CSV with a header, a line per query in the
// dataset's order.
const QueriesFile = "queries.csv"

// Queries are what the queries of an evaluation have found.
type Queries []Query

// Query is an image and what it has found.
type Query struct {
	Image
	Outcome
	Reranked *Outcome // after re-ranking; nil in all queries or in none
}

// Outcome is what a query has found.
type Outcome struct {
	AP        float64 // average precision, a fraction of 1
	INP       float64 // inverse negative penalty, a fraction of 1
	FirstRank int     // of the nearest match, from 1; 0: it has no match in the gallery, and no part in any average
}

// The columns of a file of queries; those of re-ranked outcomes may be missing.
var (
	queryColumns    = []string{"file", "pid", "camid", "ap", "inp", "first_rank"}
	rerankedColumns = []string{"ap_reranked", "inp_reranked", "first_rank_reranked"}
)

// WriteQueries stores what queries have found, whole or not at all.
func WriteQueries(file string, queries Queries) error {
	if err := queries.validate(); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return atomicfile.Write(file, func(w io.Writer) error {
		out := csv.NewWriter(w)
		header := queryColumns
		if queries.reranked() {
			header = slices.Concat(queryColumns, rerankedColumns)
		}
		out.Write(header)
		for _, q := range queries {
			row := append([]string{q.File, strconv.Itoa(int(q.PID)), strconv.Itoa(int(q.CamID))}, q.Outcome.cells()...)
			if q.Reranked != nil {
				row = append(row, q.Reranked.cells()...)
			}
			out.Write(row)
		}
		out.Flush()
		return out.Error()
	})
}

func (o Outcome) cells() []string {
	decimals := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	return []string{decimals(o.AP), decimals(o.INP), strconv.Itoa(o.FirstRank)}
}

// maxQueriesBytes bounds what ReadQueries reads: a million queries.
const maxQueriesBytes = 1 << 27

// ReadQueries reads what WriteQueries has written. The error is fs.ErrNotExist where there is no such file.
func ReadQueries(file string) (Queries, error) {
	f, err := regular.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	queries, err := parseQueries(f)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	return queries, nil
}

// readQueriesOf reads the file in the folder of a run, and holds it against the run's record.
func readQueriesOf(dir string, r Record) (Queries, error) {
	file := filepath.Join(dir, QueriesFile)
	queries, err := ReadQueries(file)
	if err != nil {
		return nil, err
	}
	sum, n := 0.0, 0
	for _, q := range queries {
		if q.FirstRank > 0 {
			sum += q.AP
			n++
		}
	}
	const rounding = 1e-9 // of a mean of less than a million terms, each a fraction of 1
	if r.Final == nil || n == 0 || math.Abs(sum/float64(n)-r.Final.MAP) > rounding {
		return nil, fmt.Errorf("%s is of another evaluation than %s", file, File)
	}
	return queries, nil
}

func parseQueries(r io.Reader) (Queries, error) {
	limited := &io.LimitedReader{R: r, N: maxQueriesBytes}
	in := csv.NewReader(limited)
	in.ReuseRecord = true
	header, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("its header: %w", err)
	}
	reranked := len(header) > len(queryColumns)
	want := queryColumns
	if reranked {
		want = slices.Concat(queryColumns, rerankedColumns)
	}
	if !slices.Equal(header, want) {
		return nil, fmt.Errorf("its columns are not those of a file of queries, %q", queryColumns)
	}
	var queries Queries
	for {
		row, err := in.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		line, _ := in.FieldPos(0)
		q, err := parseQuery(row, reranked)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		queries = append(queries, q)
	}
	if limited.N == 0 {
		return nil, fmt.Errorf("larger than %d bytes", maxQueriesBytes)
	}
	return queries, queries.validate()
}

func parseQuery(row []string, reranked bool) (q Query, err error) {
	pid, errPID := strconv.ParseInt(row[1], 10, 32)
	camID, errCamID := strconv.ParseInt(row[2], 10, 32)
	q.Image = Image{File: row[0], PID: int32(pid), CamID: int32(camID)}
	var errOutcome, errReranked error
	q.Outcome, errOutcome = parseOutcome(row[3:6])
	if reranked {
		q.Reranked = new(Outcome)
		*q.Reranked, errReranked = parseOutcome(row[6:9])
	}
	return q, errors.Join(errPID, errCamID, errOutcome, errReranked)
}

func parseOutcome(cells []string) (o Outcome, err error) {
	var errs [3]error
	o.AP, errs[0] = strconv.ParseFloat(cells[0], 64)
	o.INP, errs[1] = strconv.ParseFloat(cells[1], 64)
	o.FirstRank, errs[2] = strconv.Atoi(cells[2])
	return o, errors.Join(errs[:]...)
}

// validate reports whether something can be said about these queries.
func (queries Queries) validate() error {
	files := make(map[string]bool, len(queries))
	for i, q := range queries {
		if q.File == "" {
			return fmt.Errorf("query %d has no name", i+1)
		}
		if files[q.File] {
			return fmt.Errorf("%s stands there twice", q.File)
		}
		files[q.File] = true
		if err := q.Outcome.validate(); err != nil {
			return fmt.Errorf("%s: %w", q.File, err)
		}
		if (q.Reranked != nil) != queries.reranked() {
			return fmt.Errorf("%s: some queries are re-ranked, and others are not", q.File)
		}
		if r := q.Reranked; r != nil {
			if err := r.validate(); err != nil {
				return fmt.Errorf("%s, re-ranked: %w", q.File, err)
			}
			if (r.FirstRank > 0) != (q.FirstRank > 0) {
				return fmt.Errorf("%s: re-ranking changes whether there is a match", q.File)
			}
		}
	}
	return nil
}

func (o Outcome) validate() error {
	for _, v := range []float64{o.AP, o.INP} {
		if !(v >= 0 && v <= 1) {
			return fmt.Errorf("%v is not a fraction of 1", v)
		}
	}
	if o.FirstRank < 0 {
		return fmt.Errorf("a rank of %d", o.FirstRank)
	}
	if o.FirstRank == 0 && (o.AP != 0 || o.INP != 0) {
		return errors.New("a precision without a match")
	}
	return nil
}

func (queries Queries) reranked() bool { return len(queries) > 0 && queries[0].Reranked != nil }
