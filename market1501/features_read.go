package market1501

import (
	"bufio"
	"errors"
	"fmt"
	"io"
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

func parseFeatures(r io.Reader) (query, gallery *Features, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 1<<16), maxFeatureLine)
	query, gallery = new(Features), new(Features)
	for n := 1; lines.Scan(); n++ {
		if n == 1 {
			rest, ok := strings.CutPrefix(lines.Text(), FeatureColumns+",")
			if !ok {
				return nil, nil, fmt.Errorf("%w: its columns don't begin with %s", ErrFeatures, FeatureColumns)
			}
			query.Dim = 1 + strings.Count(rest, ",")
			gallery.Dim = query.Dim
			continue
		}
		if err := parseFeatureRow(lines.Text(), query, gallery); err != nil {
			return nil, nil, fmt.Errorf("%w: line %d: %w", ErrFeatures, n, err)
		}
		if len(query.Values)+len(gallery.Values) > maxFeatureValues {
			return nil, nil, fmt.Errorf("%w: more than %d values", ErrFeatures, maxFeatureValues)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrFeatures, err)
	}
	if query.Len() == 0 || gallery.Len() == 0 {
		return nil, nil, fmt.Errorf("%w: %d queries, %d gallery images", ErrFeatures, query.Len(), gallery.Len())
	}
	return query, gallery, nil
}

// parseFeatureRow adds a line to the set that it names.
func parseFeatureRow(line string, query, gallery *Features) error {
	var cells [4]string
	for i := range cells {
		var ok bool
		if cells[i], line, ok = strings.Cut(line, ","); !ok {
			return errors.New("too few columns")
		}
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
	values := 0
	for more := true; more; values++ {
		var cell string
		cell, line, more = strings.Cut(line, ",")
		v, err := strconv.ParseFloat(cell, 32)
		if err != nil {
			return err
		}
		set.Values = append(set.Values, float32(v))
	}
	if values != set.Dim {
		return fmt.Errorf("%d values, not %d", values, set.Dim)
	}
	set.Names = append(set.Names, strings.Clone(cells[0]))
	set.PIDs, set.CamIDs = append(set.PIDs, int32(pid)), append(set.CamIDs, int32(camID))
	return nil
}
