package jpeg

import (
	"errors"
	"fmt"
)

// scan is one pass over the image, over some of its components and coefficients.
type scan struct {
	components  []*component
	places      [][2]byte // of the Huffman tables of each component, by class
	first, last int       // coefficients, in the order of zigzag
	high, low   int       // bits that were left out before, and are now

	size      int // of an MCU, in blocks
	tables    [maxInOneMCU][2]*huffTable
	previous  [maxInOneMCU]int // DC coefficients
	endOfBand int              // blocks to come that have no further coefficient

	untilRestart int  // MCUs
	restarts     byte // markers seen
}

// readScanHeader reads B.2.3. A component is looked for as libjpeg does it, which
// wants components in the order of the frame.
func (d *decoder) readScanHeader(content []byte) (*scan, error) {
	if d.frame == nil {
		return nil, errors.New("a scan before the frame header")
	}
	if d.scans++; d.scans > d.limits.Scans {
		return nil, fmt.Errorf("more than %d scans, the limit", d.limits.Scans)
	}
	if len(content) < 1 || content[0] < 1 || content[0] > maxInOneMCU || len(content) != 4+2*int(content[0]) {
		return nil, errors.New("a scan header that is none")
	}
	s := &scan{}
	count := int(content[0])
	for i := range count {
		id, places := content[1+2*i], content[2+2*i]
		found := d.frame.component(id, s.components)
		if found == nil {
			return nil, fmt.Errorf("a scan of component %d, which is not at its place", id)
		}
		s.components = append(s.components, found)
		s.places = append(s.places, [2]byte{places >> 4, places & 15})
	}
	content = content[1+2*count:]
	s.first, s.last, s.high, s.low = int(content[0]), int(content[1]), int(content[2]>>4), int(content[2]&15)
	return s, nil
}

// component is the one with this id, if it may follow these in a scan; nil: there is
// none.
func (f *frame) component(id byte, before []*component) *component {
	for i, c := range f.components {
		if c.id == id && i >= len(before) {
			for _, other := range before {
				if other == c {
					return nil
				}
			}
			return c
		}
	}
	return nil
}

// prepare makes ready what a scan is decoded with.
func (d *decoder) prepare(s *scan) error {
	s.size = 1
	if len(s.components) > 1 {
		s.size = 0
		for _, c := range s.components {
			s.size += c.h * c.v
		}
	}
	if s.size > maxMCUSize {
		return fmt.Errorf("%d blocks in an MCU", s.size)
	}
	for _, c := range s.components {
		if c.quant != nil {
			continue
		}
		if int(c.quantPlace) >= len(d.quants) || d.quants[c.quantPlace] == nil {
			return fmt.Errorf("no quantization table %d", c.quantPlace)
		}
		c.quant = d.quants[c.quantPlace]
	}
	if d.frame.progressive {
		if err := s.checkProgression(d.scans); err != nil {
			return err
		}
	}
	for i := range s.components {
		for class, place := range s.places[i] {
			if !d.frame.progressive || s.needs(class) {
				if int(place) >= len(d.tables[class]) || d.tables[class][place] == nil {
					return fmt.Errorf("no Huffman table %d", place)
				}
				table, err := d.tables[class][place].table(class)
				if err != nil {
					return err
				}
				s.tables[i][class] = table
			}
		}
	}
	s.untilRestart = d.restart
	d.rewind()
	return nil
}

// readScan reads the data of a scan, MCU by MCU (A.2).
func (d *decoder) readScan(s *scan) error {
	if err := d.prepare(s); err != nil {
		return err
	}
	f := d.frame
	wide, high, rows := f.mcusWide, f.mcusHigh, 1
	if only := s.components[0]; len(s.components) == 1 {
		wide, high, rows = only.blocksWide, only.blocksHigh, only.v
	}
	for row := range high {
		if err := d.ctx.Err(); err != nil {
			return err
		}
		for column := range wide {
			if !d.exhausted {
				f.lastGoodRow = row / rows
			}
			if d.restart > 0 {
				if err := d.countRestart(s); err != nil {
					return err
				}
			}
			d.setLow(s.size, f.progressive || d.restart > 0)
			d.readMCU(s, row, column)
			if d.truncated {
				return errTruncated
			}
		}
	}
	return nil
}

// countRestart reads a restart marker where it is time for one (E.2.4).
func (d *decoder) countRestart(s *scan) error {
	if s.untilRestart == 0 {
		d.bits, d.left = 0, 0
		if err := d.resynchronise(s.restarts & 7); err != nil {
			return err
		}
		d.exhausted = d.exhausted && d.marker != 0
		s.restarts++
		s.previous, s.endOfBand, s.untilRestart = [maxInOneMCU]int{}, 0, d.restart
	}
	s.untilRestart--
	return nil
}

// readMCU reads the blocks of an MCU. Those beside the image, which fill the last ones
// up, are read like others and come to nothing.
func (d *decoder) readMCU(s *scan, row, column int) {
	empty := d.exhausted && !(d.frame.progressive && s.refinesDC()) // which zeros do not change
	for i, c := range s.components {
		h, v := c.h, c.v
		if len(s.components) == 1 {
			h, v = 1, 1
		}
		for y := row * v; y < (row+1)*v; y++ {
			for x := column * h; x < (column+1)*h; x++ {
				switch {
				case !d.frame.buffered:
					d.readAndTransform(s, i, y, x, empty)
				case empty:
				case d.frame.progressive:
					d.readProgressive(s, i, &c.blocks[y*c.stride+x])
				default:
					d.readSequential(&c.blocks[y*c.stride+x], &s.tables[i], &s.previous[i])
				}
			}
		}
	}
}

// readAndTransform reads a block of a file that tells everything of it at once.
func (d *decoder) readAndTransform(s *scan, i, y, x int, empty bool) {
	c, b := s.components[i], &d.block
	*b = block{}
	last := 0
	if !empty {
		last = d.readSequential(b, &s.tables[i], &s.previous[i])
	}
	if y >= c.blocksHigh || x >= c.blocksWide {
		return
	}
	stride := c.blocksWide * blockEdge
	samples := c.samples[(y*stride+x)*blockEdge:]
	if last == 0 {
		inverseDC(samples, stride, b[0]*c.quant[0])
	} else {
		inverseDCT(samples, stride, b, c.quant)
	}
}
