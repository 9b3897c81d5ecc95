package jpeg

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Markers (table B.1).
const (
	temporary        = 0x01
	baselineFrame    = 0xc0
	extendedFrame    = 0xc1
	progressiveFrame = 0xc2
	huffmanTables    = 0xc4
	arithmeticTables = 0xcc
	lastFrame        = 0xcf
	firstRestart     = 0xd0
	lastRestart      = 0xd7
	startOfImage     = 0xd8
	endOfImage       = 0xd9
	startOfScan      = 0xda
	quantTables      = 0xdb
	restartInterval  = 0xdd
	app0             = 0xe0
	app14            = 0xee
	app15            = 0xef
	comment          = 0xfe
)

// nextScan reads markers and their segments up to the data of the next scan; nil: the
// image ends.
func (d *decoder) nextScan() (*scan, error) {
	for {
		if d.marker == 0 {
			if err := d.nextMarker(); err != nil {
				return nil, err
			}
		}
		marker := d.marker
		d.marker = 0
		switch {
		case marker == endOfImage:
			return nil, nil
		case marker == temporary, marker >= firstRestart && marker <= lastRestart:
			continue // nothing is left that it could be about
		case isFrame(marker) && marker > progressiveFrame:
			return nil, fmt.Errorf("a coding that is not supported (SOF%d)", marker-baselineFrame)
		case isFrame(marker) && d.frame != nil:
			return nil, errors.New("two frame headers")
		case !hasSegment(marker):
			return nil, fmt.Errorf("marker %#x", marker)
		}
		content, err := d.segment()
		if err != nil {
			return nil, err
		}
		if marker == startOfScan {
			return d.readScanHeader(content)
		}
		if err := d.readSegment(marker, content); err != nil {
			return nil, err
		}
	}
}

// hasSegment reports whether parameters follow a marker, of those that are known.
func hasSegment(marker byte) bool {
	return isFrame(marker) || marker == huffmanTables || marker == arithmeticTables ||
		marker >= startOfScan && marker <= restartInterval ||
		marker >= app0 && marker <= app15 || marker == comment
}

// isFrame reports whether a marker begins a frame header, of whatever coding.
func isFrame(marker byte) bool {
	const reserved = 0xc8
	return marker >= baselineFrame && marker <= lastFrame &&
		marker != huffmanTables && marker != reserved && marker != arithmeticTables
}

func (d *decoder) readSegment(marker byte, content []byte) error {
	switch marker {
	case baselineFrame, extendedFrame, progressiveFrame:
		return d.readFrame(content, marker == progressiveFrame)
	case huffmanTables:
		return d.readHuffmanTables(content)
	case quantTables:
		return d.readQuantTables(content)
	case restartInterval:
		if len(content) != 2 {
			return errors.New("a restart interval that is none")
		}
		d.restart = int(binary.BigEndian.Uint16(content))
	case app0:
		d.jfif = d.jfif || len(content) >= 14 && string(content[:5]) == "JFIF\x00"
	case app14:
		if len(content) >= 12 && string(content[:5]) == "Adobe" {
			d.adobe = int(content[11])
		}
	}
	return nil
}

// readHuffmanTables reads B.2.4.2.
func (d *decoder) readHuffmanTables(content []byte) error {
	for len(content) > maxCodeLength {
		class, place := content[0]>>4, content[0]&15
		spec := &huffSpec{}
		count := 0
		for i, n := range content[1 : 1+maxCodeLength] {
			spec.counts[i+1] = n
			count += int(n)
		}
		content = content[1+maxCodeLength:]
		if count > len(spec.values) || count > len(content) || class > classAC || int(place) >= len(d.tables[0]) {
			return errHuffman
		}
		copy(spec.values[:], content[:count])
		d.tables[class][place] = spec
		content = content[count:]
	}
	if len(content) > 0 {
		return errHuffman
	}
	return nil
}

// quantTable are the factors of a block's coefficients, in the order of its rows.
type quantTable [blockSize]int16

// readQuantTables reads B.2.4.1.
func (d *decoder) readQuantTables(content []byte) error {
	for len(content) > 0 {
		wide, place := content[0]>>4 != 0, content[0]&15
		content = content[1:]
		size := blockSize
		if wide {
			size *= 2
		}
		if int(place) >= len(d.quants) || len(content) < size {
			return errors.New("a quantization table that is none")
		}
		table := &quantTable{}
		for i := range table {
			if wide {
				table[zigzag[i]] = int16(binary.BigEndian.Uint16(content[2*i:]))
			} else {
				table[zigzag[i]] = int16(content[i])
			}
		}
		d.quants[place] = table
		content = content[size:]
	}
	return nil
}

// resynchronise reads the restart marker with this number. Where another marker is
// found, data has been lost or has been added: the data before an earlier one is passed
// over, and a later one stays, for segments without data until it is its turn.
func (d *decoder) resynchronise(number byte) error {
	if d.marker == 0 {
		if err := d.nextMarker(); err != nil {
			return err
		}
	}
	for {
		ahead := (d.marker - firstRestart - number) & 7
		switch {
		case d.marker >= baselineFrame && (d.marker < firstRestart || d.marker > lastRestart),
			d.marker >= baselineFrame && (ahead == 1 || ahead == 2):
			return nil
		case d.marker < baselineFrame, ahead == 6, ahead == 7:
			if err := d.nextMarker(); err != nil {
				return err
			}
		default:
			d.marker = 0
			return nil
		}
	}
}
