package jpeg

import "encoding/binary"

// stream reads a file's bytes, and the bits between its markers. Which reads need how
// many bytes decides whether a file that ends early is refused, so both are counted as
// libjpeg counts them.
type stream struct {
	data   []byte
	pos    int
	marker byte // the marker before pos, not dealt with yet; 0: none

	bits      uint64 // the last of them are not used yet
	left      int    // how many
	low       int    // more are read if there are fewer
	exhausted bool   // a marker came before the data was complete; zeros stand for the rest
	truncated bool   // the file ended before a marker came
}

// While many bytes are left, libjpeg reads six of them when fewer than 17 bits remain;
// else as many as fit, when a code or a value needs them.
const (
	manyBytes = 512 // for each block of an MCU
	manyLow   = 17
	manyBatch = 6
)

// A full buffer holds at least this many bits.
const fullBits = 57

// rewind forgets bits of what has been read.
func (s *stream) rewind() { s.bits, s.left, s.exhausted = 0, 0, false }

// setLow says how the next blocks are read, always sparingly or not.
func (s *stream) setLow(blocks int, sparing bool) {
	s.low = 0
	if !sparing && s.marker == 0 && len(s.data)-s.pos >= manyBytes*blocks {
		s.low = manyLow
	}
}

// fill reads bytes, up to a marker. If there are fewer than need bits then, zeros are
// put behind them.
func (s *stream) fill(need int) {
	n := (64 - s.left) >> 3
	if s.low > 0 {
		n = min(n, manyBatch)
	}
	if s.marker == 0 && s.pos+8 <= len(s.data) {
		if word := binary.BigEndian.Uint64(s.data[s.pos:]); !hasMarkerByte(word) {
			s.bits = s.bits<<(8*n) | word>>(64-8*n)
			s.left += 8 * n
			s.pos += n
			return
		}
	}
	for ; s.marker == 0 && n > 0; n-- {
		value, ok := s.dataByte()
		if !ok {
			break
		}
		s.bits = s.bits<<8 | uint64(value)
		s.left += 8
	}
	if need > s.left || s.truncated {
		s.exhausted = s.exhausted || !s.truncated
		s.bits <<= max(fullBits-s.left, 0)
		s.left = max(fullBits, s.left)
	}
}

// hasMarkerByte reports whether one of eight bytes is 0xff.
func hasMarkerByte(word uint64) bool {
	return (^word-0x0101010101010101)&word&0x8080808080808080 != 0
}

// dataByte reads one byte of entropy-coded data, or finds a marker or the file's end.
func (s *stream) dataByte() (value byte, ok bool) {
	stuffed := false
	for s.pos < len(s.data) {
		value = s.data[s.pos]
		s.pos++
		switch {
		case value == 0xff:
			stuffed = true
		case !stuffed:
			return value, true
		case value == 0:
			return 0xff, true
		default:
			s.marker = value
			return 0, false
		}
	}
	s.truncated = true
	return 0, false
}

// take reads n bits, at most 17.
func (s *stream) take(n int) int {
	if s.left < n {
		s.fill(n)
	}
	s.left -= n
	return int(s.bits>>s.left) & (1<<n - 1)
}

// takeSigned reads a value of n bits, at least 1 (F.2.2.1, EXTEND).
func (s *stream) takeSigned(n int) int {
	return signed(s.take(n), n)
}

// signed gives a value of n bits its sign: one whose first bit is 0 is negative.
func signed(value, n int) int {
	return value + (((value - 1<<(n-1)) >> 63) & (-1<<n + 1))
}

// symbol reads a Huffman code.
func (s *stream) symbol(t *huffTable) byte {
	if s.left < max(lookBits, s.low) {
		s.fill(0)
		if s.left < lookBits {
			return s.longSymbol(t, 1)
		}
	}
	entry := t.look[byte(s.bits>>(s.left-lookBits))]
	if entry.length == 0 {
		return s.longSymbol(t, lookBits+1)
	}
	s.left -= int(entry.length)
	return entry.value
}

// longSymbol reads a code of at least n bits, bit by bit (F.2.2.3, DECODE). What is no
// code at all stands for 0.
func (s *stream) longSymbol(t *huffTable, n int) byte {
	code := s.take(n)
	for n <= maxCodeLength && code > t.last[n] {
		code = code<<1 | s.take(1)
		n++
	}
	if n > maxCodeLength {
		return 0
	}
	return t.values[byte(code+t.offset[n])]
}

// nextMarker finds the next marker, wherever it is.
func (s *stream) nextMarker() error {
	for i := s.pos; i+1 < len(s.data); i++ {
		if next := s.data[i+1]; s.data[i] == 0xff && next != 0xff && next != 0 {
			s.marker, s.pos = next, i+2
			return nil
		}
	}
	s.pos = len(s.data)
	return errTruncated
}

// segment reads what follows a marker that has parameters.
func (s *stream) segment() ([]byte, error) {
	if len(s.data)-s.pos < 2 {
		return nil, errTruncated
	}
	length := int(binary.BigEndian.Uint16(s.data[s.pos:]))
	if length < 2 {
		s.pos += 2
		return nil, nil
	}
	if len(s.data)-s.pos < length {
		return nil, errTruncated
	}
	content := s.data[s.pos+2 : s.pos+length]
	s.pos += length
	return content, nil
}
