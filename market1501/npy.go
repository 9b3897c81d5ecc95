package market1501

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"
)

// WriteNPY writes features as an array of NumPy's, float32 [rows, Dim]: format 1.0 of numpy.lib.format. Image i is row
// places[i]; rows that no image has are NaN.
func (f *Features) WriteNPY(w io.Writer, rows int, places []int) error {
	head := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", rows, f.Dim)
	const prefix, alignment = 10, 64 // what is before the text, and what the values begin at a multiple of
	head += strings.Repeat(" ", alignment-1-(prefix+len(head))%alignment) + "\n"
	out := bufio.NewWriter(w)
	out.WriteString("\x93NUMPY\x01\x00")
	binary.Write(out, binary.LittleEndian, uint16(len(head)))
	out.WriteString(head)

	absent := make([]float32, f.Dim)
	for i := range absent {
		absent[i] = float32(math.NaN())
	}
	image := 0
	for row := range rows {
		values := absent
		if image < len(places) && places[image] == row {
			values = f.Row(image)
			image++
		}
		binary.Write(out, binary.LittleEndian, values)
	}
	return out.Flush()
}
