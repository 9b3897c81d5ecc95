package jpeg

import "errors"

const (
	maxCodeLength = 16 // bits
	lookBits      = 8  // codes up to this length are found with one look
)

// Classes of Huffman tables (B.2.4.2).
const (
	classDC = iota
	classAC
)

// huffSpec is a Huffman table as a file has it: how many codes there are of each
// length, and what they stand for.
type huffSpec struct {
	counts [maxCodeLength + 1]byte // [0] is not used
	values [256]byte               // in the order of the codes
}

// huffTable decodes codes.
type huffTable struct {
	look   [1 << lookBits]lookedUp
	last   [maxCodeLength + 1]int // the greatest code of each length, -1: there is none
	offset [maxCodeLength + 1]int // to be added to a code for its place in values
	values [256]byte
}

// lookedUp is the code that the next bits begin with; length 0: it is longer.
type lookedUp struct{ value, length byte }

var errHuffman = errors.New("a Huffman table that is none")

// table makes the codes of a table (Annex C), and what is needed to decode them.
func (s *huffSpec) table(class int) (*huffTable, error) {
	t := &huffTable{values: s.values}
	code, place := 0, 0
	for length := 1; length <= maxCodeLength; length++ {
		count := int(s.counts[length])
		t.last[length] = -1
		if count > 0 {
			if place+count > len(s.values) || code+count >= 1<<length { // no code is all ones
				return nil, errHuffman
			}
			t.offset[length] = place - code
			for range count {
				t.shortCode(code, length, s.values[place])
				if class == classDC && s.values[place] > 15 {
					return nil, errHuffman
				}
				code++
				place++
			}
			t.last[length] = code - 1
		}
		code <<= 1
	}
	return t, nil
}

// shortCode enters a code under all bits that begin with it, unless it is long.
func (t *huffTable) shortCode(code, length int, value byte) {
	if length > lookBits {
		return
	}
	first := code << (lookBits - length)
	for i := range 1 << (lookBits - length) {
		t.look[first+i] = lookedUp{value, byte(length)}
	}
}

// standardTables defines the tables that files without any mean, as the frames of
// Motion JPEG: those of Annex K.3.3.
func (d *decoder) standardTables() {
	for class, tables := range standardSpecs {
		for i := range tables {
			if d.tables[class][i] == nil {
				d.tables[class][i] = &standardSpecs[class][i]
			}
		}
	}
}
