package market1501

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/reidbench/reidbench/results/regular"
)

// The parts of a header: a dict of Python's, in which nothing else matters.
var (
	npyType    = regexp.MustCompile(`['"]descr['"]\s*:\s*['"]([^'"]*)['"]`)
	npyFortran = regexp.MustCompile(`['"]fortran_order['"]\s*:\s*(True|False)`)
	npyShape   = regexp.MustCompile(`['"]shape['"]\s*:\s*\(([0-9, ]*)\)`)
)

// maxNPYHeader is what NumPy itself reads of a header, times six.
const maxNPYHeader = 1 << 16

// readNPY reads an array of NumPy's: float32 or float64 [rows, Dim], little endian, in C order. One without a second
// axis is a row. Its images have no names yet. The error wraps [ErrFeatures] where the file is no such array.
func readNPY(file string) (*Features, error) {
	f, err := regular.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	features, err := parseNPY(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	return features, nil
}

// parseNPY reads an array of so many bytes, by formats 1.0 to 3.0 of numpy.lib.format. Nothing is allocated for values
// that those bytes have no room for.
func parseNPY(r io.Reader, size int64) (*Features, error) {
	header, begin, err := npyHeader(r)
	if err != nil {
		return nil, err
	}
	rows, dim, width, err := npyLayout(header)
	if err != nil {
		return nil, err
	}
	switch {
	case rows < 1 || dim < 1:
		return nil, fmt.Errorf("%w: an array of %d rows with %d values has no features", ErrFeatures, rows, dim)
	case rows > maxFeatureValues/dim:
		return nil, fmt.Errorf("%w: %d rows with %d values are more than %d values", ErrFeatures, rows, dim,
			int64(maxFeatureValues))
	case size-begin != int64(rows)*int64(dim)*int64(width):
		return nil, fmt.Errorf("%w: its header says %d rows with %d values of %d bytes, which are %d; there are %d",
			ErrFeatures, rows, dim, width, int64(rows)*int64(dim)*int64(width), size-begin)
	}
	f := &Features{Dim: dim, Values: make([]float32, rows*dim), PIDs: make([]int32, rows), CamIDs: make([]int32, rows)}
	bytes := make([]byte, dim*width)
	for row := range rows {
		if _, err := io.ReadFull(r, bytes); err != nil {
			return nil, fmt.Errorf("row %d: %w", row, err)
		}
		for d, values := 0, f.Row(row); d < dim; d++ {
			if width == 4 {
				values[d] = math.Float32frombits(binary.LittleEndian.Uint32(bytes[4*d:]))
				continue
			}
			wide := math.Float64frombits(binary.LittleEndian.Uint64(bytes[8*d:]))
			if values[d] = float32(wide); math.IsInf(float64(values[d]), 0) && !math.IsInf(wide, 0) {
				return nil, fmt.Errorf("%w: row %d (from 0): value %d is %v, more than float32 holds", ErrFeatures,
					row, d, wide)
			}
		}
	}
	return f, nil
}

// npyMagic begins every file of NumPy's with one array.
const npyMagic = "\x93NUMPY"

// npyHeader reads a header's text, and says where the values begin.
func npyHeader(r io.Reader) (text string, begin int64, err error) {
	start := make([]byte, len(npyMagic)+2)
	if _, err := io.ReadFull(r, start); err != nil || string(start[:len(npyMagic)]) != npyMagic {
		return "", 0, fmt.Errorf("%w: no array of NumPy's, as np.save writes it", ErrFeatures)
	}
	var length uint32
	switch major := start[len(npyMagic)]; major {
	case 1:
		var short uint16
		err = binary.Read(r, binary.LittleEndian, &short)
		length, begin = uint32(short), int64(len(start))+2
	case 2, 3:
		err = binary.Read(r, binary.LittleEndian, &length)
		begin = int64(len(start)) + 4
	default:
		return "", 0, fmt.Errorf("%w: format %d of NumPy's arrays, not one from 1 to 3", ErrFeatures, major)
	}
	if err == nil && length > maxNPYHeader {
		err = fmt.Errorf("%d bytes", length)
	}
	header := make([]byte, min(length, maxNPYHeader))
	if err == nil {
		_, err = io.ReadFull(r, header)
	}
	if err != nil {
		return "", 0, fmt.Errorf("%w: its header: %w", ErrFeatures, err)
	}
	return string(header), begin + int64(length), nil
}

// npyLayout reads what a header says, and refuses arrays that are not features.
func npyLayout(header string) (rows, dim, width int, err error) {
	refuse := func(format string, args ...any) (int, int, int, error) {
		return 0, 0, 0, fmt.Errorf("%w: %w", ErrFeatures, fmt.Errorf(format, args...))
	}
	kind, fortran, shape := npyType.FindStringSubmatch(header), npyFortran.FindStringSubmatch(header),
		npyShape.FindStringSubmatch(header)
	if kind == nil || fortran == nil || shape == nil {
		return refuse("its header does not say type, order and shape of an array: %.80q", header)
	}
	switch kind[1] {
	case "<f4":
		width = 4
	case "<f8":
		width = 8
	default:
		return refuse("values of type %q, not float32 or float64: save features.astype('<f4')", kind[1])
	}
	axes, err := npyAxes(shape[1])
	switch {
	case err != nil:
		return refuse("a shape of (%s): %w", shape[1], err)
	case len(axes) == 1:
		axes = []int{1, axes[0]}
	case len(axes) != 2:
		return refuse("a shape of (%s), not (images, values)", shape[1])
	case fortran[1] == "True":
		return refuse("in Fortran's order: save np.ascontiguousarray(features)")
	}
	return axes[0], axes[1], width, nil
}

func npyAxes(shape string) (axes []int, err error) {
	for text := range strings.SplitSeq(shape, ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue // after the last comma
		}
		axis, err := strconv.ParseInt(text, 10, 64)
		if err != nil || axis > math.MaxInt32 {
			return nil, errors.New("an axis is too long")
		}
		axes = append(axes, int(axis))
	}
	return axes, nil
}
