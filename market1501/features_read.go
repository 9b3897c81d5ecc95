package market1501

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/reidbench/reidbench/results/regular"
)

// FeatureColumns is how a file of features begins; a column per value follows.
const FeatureColumns = "file,pid,camid,split"

// A line of a file of features is at most so long, which has room for 65,536 values, and a file has at most so many
// values: 16 GiB.
const (
	maxFeatureLine   = 1 << 20
	maxFeatureValues = 1 << 32
)

// ReadFeatures reads a file that [WriteFeatures] has written. The error wraps [ErrFeatures] where it is none, and is
// fs.ErrNotExist where there is no file.
func ReadFeatures(file string) (query, gallery *Features, err error) {
	f, err := regular.Open(file)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	if query, gallery, err = parseFeatures(f); err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", file, err)
	}
	return query, gallery, nil
}

// bounded reads at most left bytes, which whoever reads lines sets anew for each.
type bounded struct {
	io.Reader
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errors.New("a line is too long")
	}
	n, err := b.Reader.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// featureTable reads a file of features line by line.
type featureTable struct {
	lines  *bounded
	table  *csv.Reader
	values int // so far
}

func newFeatureTable(r io.Reader) *featureTable {
	lines := &bounded{Reader: bufio.NewReaderSize(r, 1<<16)}
	table := csv.NewReader(lines)
	table.ReuseRecord, table.FieldsPerRecord = true, -1
	return &featureTable{lines: lines, table: table}
}

// next is the next line; io.EOF: there is none.
func (t *featureTable) next() ([]string, error) {
	t.lines.left = maxFeatureLine
	row, err := t.table.Read()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: %w", ErrFeatures, err)
	}
	return row, err
}

// begin reads the header, which has these columns before those of the values. dim is the number of the latter.
func (t *featureTable) begin(columns string) (dim int, err error) {
	before := strings.Split(columns, ",")
	row, err := t.next()
	if errors.Is(err, io.EOF) {
		return 0, fmt.Errorf("%w: an empty file", ErrFeatures)
	}
	if err == nil && (len(row) <= len(before) || !slices.Equal(row[:len(before)], before)) {
		err = fmt.Errorf("%w: its columns don't begin with %s", ErrFeatures, columns)
	}
	return len(row) - len(before), err
}

// rows visits the lines below the header.
func (t *featureTable) rows(visit func(cells []string) error) error {
	for {
		row, err := t.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := visit(row); err != nil {
			line, _ := t.table.FieldPos(0)
			return fmt.Errorf("%w: line %d: %w", ErrFeatures, line, err)
		}
		if t.values += len(row); t.values > maxFeatureValues {
			return fmt.Errorf("%w: more than %d values", ErrFeatures, int64(maxFeatureValues))
		}
	}
}

func parseFeatures(r io.Reader) (query, gallery *Features, err error) {
	t := newFeatureTable(r)
	dim, err := t.begin(FeatureColumns)
	if err != nil {
		return nil, nil, err
	}
	query, gallery = &Features{Dim: dim}, &Features{Dim: dim}
	if err := t.rows(func(cells []string) error { return parseFeatureRow(cells, query, gallery) }); err != nil {
		return nil, nil, err
	}
	if query.Len() == 0 || gallery.Len() == 0 {
		return nil, nil, fmt.Errorf("%w: %d queries, %d gallery images", ErrFeatures, query.Len(), gallery.Len())
	}
	return query, gallery, nil
}

// parseFeatureRow adds a line to the set that it names.
func parseFeatureRow(cells []string, query, gallery *Features) error {
	if len(cells) < 5 {
		return errors.New("too few columns")
	}
	set := query
	switch cells[3] {
	case querySplit:
	case gallerySplit:
		set = gallery
	default:
		return fmt.Errorf("split %q is neither %s nor %s", cells[3], querySplit, gallerySplit)
	}
	pid, errPID := strconv.ParseInt(cells[1], 10, 32)
	camID, errCamID := strconv.ParseInt(cells[2], 10, 32)
	if err := errors.Join(errPID, errCamID); err != nil {
		return err
	}
	return set.parseRow(cells[0], int32(pid), int32(camID), cells[4:])
}

// parseRow adds an image with its values.
func (f *Features) parseRow(name string, pid, camID int32, values []string) error {
	if name == "" {
		return errors.New("an image without a name")
	}
	if len(values) != f.Dim {
		return fmt.Errorf("%d values, not %d", len(values), f.Dim)
	}
	for _, cell := range values {
		v, err := strconv.ParseFloat(cell, 32)
		if err != nil {
			return err
		}
		f.Values = append(f.Values, float32(v))
	}
	f.Names = append(f.Names, strings.Clone(name))
	f.PIDs, f.CamIDs = append(f.PIDs, pid), append(f.CamIDs, camID)
	return nil
}
