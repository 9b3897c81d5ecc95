package market1501

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/reidbench/reidbench/results/atomicfile"
)

// ErrFeatures is wrapped by errors about features that cannot be compared: not
// finite, too large, or of different lengths.
var ErrFeatures = errors.New("unusable features")

// Features is one vector per image, with what the protocol needs to know of it.
type Features struct {
	Dim    int
	Values []float32 // [N, Dim]
	PIDs   []int32   // [N]
	CamIDs []int32   // [N]
	Names  []string  // [N]
}

// NewFeatures has room for dim values per image, all zero, and the images' pids,
// cameras and names.
func NewFeatures(images *Images, dim int) *Features {
	n := images.Len()
	f := &Features{
		Dim:    dim,
		Values: make([]float32, n*dim),
		PIDs:   make([]int32, n),
		CamIDs: make([]int32, n),
		Names:  make([]string, n),
	}
	for i := range n {
		f.PIDs[i], f.CamIDs[i], f.Names[i] = images.PID(i), images.CamID(i), images.Name(i)
	}
	return f
}

// Append adds the rows of other, which must have the same Dim: the pieces of a
// gallery that was decoded piece by piece make one whole.
func (f *Features) Append(other *Features) error {
	if f.Dim != other.Dim {
		return fmt.Errorf("append features: %w: %d values per image and %d", ErrFeatures, f.Dim, other.Dim)
	}
	f.Values = append(f.Values, other.Values...)
	f.PIDs = append(f.PIDs, other.PIDs...)
	f.CamIDs = append(f.CamIDs, other.CamIDs...)
	f.Names = append(f.Names, other.Names...)
	return nil
}

// Len is the number of images.
func (f *Features) Len() int { return len(f.PIDs) }

// Row is the feature vector of image i. It is not a copy.
func (f *Features) Row(i int) []float32 { return f.Values[i*f.Dim : (i+1)*f.Dim : (i+1)*f.Dim] }

func (f *Features) name(i int) string {
	if i < len(f.Names) {
		return f.Names[i]
	}
	return "image " + strconv.Itoa(i)
}

// check refuses what has no distance. It returns the squared length of each row.
func (f *Features) check() ([]float32, error) {
	if f.Dim < 1 || len(f.Values) != f.Len()*f.Dim || len(f.CamIDs) != f.Len() {
		return nil, fmt.Errorf("%w: %d values, %d pids, %d cameras for %d values per image",
			ErrFeatures, len(f.Values), len(f.PIDs), len(f.CamIDs), f.Dim)
	}
	squared := make([]float32, f.Len())
	for i := range squared {
		sum := 0.0
		for d, v := range f.Row(i) {
			if v-v != 0 { // NaN and both infinities
				return nil, fmt.Errorf("%w: value %d of %s is %v", ErrFeatures, d, f.name(i), v)
			}
			sum += float64(v) * float64(v)
		}
		// A quarter leaves room for every intermediate of |g|² - 2q·g.
		if sum > math.MaxFloat32/4 {
			return nil, fmt.Errorf("%w: the values of %s are too large for a distance", ErrFeatures, f.name(i))
		}
		squared[i] = float32(sum)
	}
	return squared, nil
}

// What the files of features call the two sets.
const (
	querySplit   = "query"
	gallerySplit = "gallery"
)

// WriteFeatures writes one CSV file with a line per image: file name, pid, camid,
// split (query or gallery), then the values in the shortest decimals that read
// back as the same float32, quoted as RFC 4180 has it where a name needs that.
// Both sets have the same Dim. The file appears whole or not at all.
func WriteFeatures(file string, query, gallery *Features) error {
	if query.Dim != gallery.Dim {
		return fmt.Errorf("write features: %w: %d values per image and %d", ErrFeatures, query.Dim, gallery.Dim)
	}
	err := atomicfile.Write(file, func(w io.Writer) error {
		out := csv.NewWriter(w)
		header := strings.Split(FeatureColumns, ",")
		for d := range query.Dim {
			header = append(header, fmt.Sprintf("f%d", d))
		}
		if err := out.Write(header); err != nil {
			return err
		}
		if err := query.writeRows(out, querySplit); err != nil {
			return err
		}
		if err := gallery.writeRows(out, gallerySplit); err != nil {
			return err
		}
		out.Flush()
		return out.Error()
	})
	if err != nil {
		return fmt.Errorf("write features: %w", err)
	}
	return nil
}

// AppendText appends the values of row i to fields, in the shortest decimals that read back as the same float32.
func (f *Features) AppendText(fields []string, i int) []string {
	for _, v := range f.Row(i) {
		fields = append(fields, strconv.FormatFloat(float64(v), 'g', -1, 32))
	}
	return fields
}

func (f *Features) writeRows(out *csv.Writer, split string) error {
	row := make([]string, 4+f.Dim)
	for i := range f.Len() {
		row = append(row[:0], f.name(i), strconv.Itoa(int(f.PIDs[i])), strconv.Itoa(int(f.CamIDs[i])), split)
		if err := out.Write(f.AppendText(row, i)); err != nil {
			return err
		}
	}
	return nil
}
