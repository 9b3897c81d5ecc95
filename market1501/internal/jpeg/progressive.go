package jpeg

import "errors"

// checkProgression refuses a scan that is none of a progressive file (G.1.1.1), and
// keeps account of how exactly coefficients are known. That scans follow each other in
// an order that makes sense is not asked for.
func (s *scan) checkProgression(number int) error {
	dc := s.first == 0
	switch {
	case dc && s.last != 0,
		!dc && (s.first > s.last || s.last >= blockSize || len(s.components) != 1),
		s.high != 0 && s.low != s.high-1,
		s.low > 13:
		return errors.New("a progressive scan that is none")
	}
	for _, c := range s.components {
		for k := min(s.first, 1); k <= max(s.last, smoothed-1); k++ {
			c.before[k] = 0
			if number > 1 {
				c.before[k] = c.known[k]
			}
		}
		for k := s.first; k <= s.last; k++ {
			c.known[k] = s.low
		}
	}
	return nil
}

// needs reports whether a progressive scan has codes of a class.
func (s *scan) needs(class int) bool {
	if s.first == 0 {
		return class == classDC && s.high == 0
	}
	return class == classAC
}

func (s *scan) refinesDC() bool { return s.first == 0 && s.high != 0 }

// readProgressive reads what a scan tells of a block.
func (d *decoder) readProgressive(s *scan, i int, b *block) {
	switch {
	case s.first == 0 && s.high == 0:
		if n := int(d.symbol(s.tables[i][classDC])); n > 0 {
			s.previous[i] += d.takeSigned(n)
		}
		b[0] = int16(s.previous[i] << s.low)
	case s.first == 0:
		b[0] |= int16(d.take(1) << s.low)
	case s.high == 0:
		d.readBand(s, b)
	default:
		d.refineBand(s, b)
	}
}

// readBand reads a band of coefficients for the first time (G.1.2.2).
func (d *decoder) readBand(s *scan, b *block) {
	if s.endOfBand > 0 {
		s.endOfBand--
		return
	}
	for k := s.first; k <= s.last; k++ {
		value := d.symbol(s.tables[0][classAC])
		run, n := int(value>>4), int(value&15)
		switch {
		case n > 0:
			k += run
			b[zigzag[k]] = int16(d.takeSigned(n) << s.low)
		case run == 15:
			k += 15
		default:
			s.endOfBand = 1<<run + d.take(run) - 1
			return
		}
	}
}

// refineBand reads a further bit of a band of coefficients (G.1.2.3).
func (d *decoder) refineBand(s *scan, b *block) {
	k := s.first
	for ; k <= s.last && s.endOfBand == 0; k++ {
		value := d.symbol(s.tables[0][classAC])
		run, n := int(value>>4), int(value&15)
		if n == 0 && run < 15 {
			s.endOfBand = 1<<run + d.take(run)
			break
		}
		fresh := 0
		if n > 0 {
			fresh = (2*d.take(1) - 1) << s.low
		}
		k = d.refineKnown(s, b, k, run)
		if fresh != 0 {
			b[zigzag[k]] = int16(fresh)
		}
	}
	if s.endOfBand > 0 {
		d.refineKnown(s, b, k, blockSize)
		s.endOfBand--
	}
}

// refineKnown reads a bit of every coefficient that is not zero, from place k to the
// zero after this many zeros, and returns that one's place.
func (d *decoder) refineKnown(s *scan, b *block, k, zeros int) int {
	for ; k <= s.last; k++ {
		c := &b[zigzag[k]]
		if *c == 0 {
			if zeros == 0 {
				break
			}
			zeros--
			continue
		}
		if d.take(1) == 1 && *c&(1<<s.low) == 0 {
			if *c > 0 {
				*c += 1 << s.low
			} else {
				*c -= 1 << s.low
			}
		}
	}
	return k
}
