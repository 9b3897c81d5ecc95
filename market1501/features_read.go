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

func parseFeatures(r io.Reader) (query, gallery *Features, err error) {
	lines := &bounded{Reader: bufio.NewReaderSize(r, 1<<16)}
	table := csv.NewReader(lines)
	table.ReuseRecord, table.FieldsPerRecord = true, -1
	columns := strings.Split(FeatureColumns, ",")
	query, gallery = new(Features), new(Features)
	for first := true; ; first = false {
		lines.left = maxFeatureLine
		row, err := table.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %w", ErrFeatures, err)
		}
		if first {
			if len(row) <= len(columns) || !slices.Equal(row[:len(columns)], columns) {
				return nil, nil, fmt.Errorf("%w: its columns don't begin with %s", ErrFeatures, FeatureColumns)
			}
			query.Dim = len(row) - len(columns)
			gallery.Dim = query.Dim
			continue
		}
		if err := parseFeatureRow(row, query, gallery); err != nil {
			n, _ := table.FieldPos(0)
			return nil, nil, fmt.Errorf("%w: line %d: %w", ErrFeatures, n, err)
		}
		if len(query.Values)+len(gallery.Values) > maxFeatureValues {
			return nil, nil, fmt.Errorf("%w: more than %d values", ErrFeatures, maxFeatureValues)
		}
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
	if cells[0] == "" {
		return errors.New("an image without a name")
	}
	values := cells[4:]
	if len(values) != set.Dim {
		return fmt.Errorf("%d values, not %d", len(values), set.Dim)
	}
	for _, cell := range values {
		v, err := strconv.ParseFloat(cell, 32)
		if err != nil {
			return err
		}
		set.Values = append(set.Values, float32(v))
	}
	set.Names = append(set.Names, strings.Clone(cells[0]))
	set.PIDs, set.CamIDs = append(set.PIDs, int32(pid)), append(set.CamIDs, int32(camID))
	return nil
}
