package jpeg

// Of a progressive file whose scans leave the first coefficients of blocks unknown,
// or known in part, libjpeg estimates them from the DC coefficients of 5×5 blocks
// (compare Annex K.8, which has 3×3).

// smoothed is the number of coefficients, in the order of zigzag, that can be estimated.
const smoothed = 10

// estimate makes a coefficient of the DC coefficients around its block: their sum with
// these weights, in 256ths.
type estimate [5][5]int

// Where nothing but DC coefficients is known, a smooth surface through them replaces
// the image, DC coefficients included.
var smoothSurface = [smoothed]estimate{
	{{-2, -6, -8, -6, -2}, {-6, 6, 42, 6, -6}, {-8, 42, 152, 42, -8}, {-6, 6, 42, 6, -6}, {-2, -6, -8, -6, -2}},
	{{-1, -1, 0, 1, 1}, {-3, 13, 0, -13, 3}, {-3, 38, 0, -38, 3}, {-3, 13, 0, -13, 3}, {-1, -1, 0, 1, 1}},
	{{-1, -3, -3, -3, -1}, {-1, 13, 38, 13, -1}, {}, {1, -13, -38, -13, 1}, {1, 3, 3, 3, 1}},
	{{0, 0, 1, 0, 0}, {0, 2, 7, 2, 0}, {0, -5, -14, -5, 0}, {0, 2, 7, 2, 0}, {0, 0, 1, 0, 0}},
	{{-1, 0, 0, 0, 1}, {0, 9, 0, -9, 0}, {}, {0, -9, 0, 9, 0}, {1, 0, 0, 0, -1}},
	{{}, {0, 2, -5, 2, 0}, {1, 7, -14, 7, 1}, {0, 2, -5, 2, 0}, {}},
	{{}, {0, 1, 0, -1, 0}, {0, 2, 0, -2, 0}, {0, 1, 0, -1, 0}, {}},
	{{}, {0, 1, -3, 1, 0}, {}, {0, -1, 3, -1, 0}, {}},
	{{}, {0, 1, 0, -1, 0}, {0, -3, 0, 3, 0}, {0, 1, 0, -1, 0}, {}},
	{{}, {0, 1, 2, 1, 0}, {}, {0, -1, -2, -1, 0}, {}},
}

// Where other coefficients are known as well, the others of the first are estimated.
var smoothRest = [smoothed - 4]estimate{
	1: {2: {-7, 50, 0, -50, 7}},
	2: {{2: -7}, {2: 50}, {}, {2: -50}, {2: 7}},
	3: {{2: -1}, {2: 13}, {2: -24}, {2: 13}, {2: -1}},
	4: {{0, -1, 0, 1, 0}, {-1, 10, 0, -10, 1}, {}, {1, -10, 0, 10, -1}, {0, 1, 0, -1, 0}},
	5: {2: {-1, 13, -24, 13, -1}},
}

// smooths reports whether there is something to estimate, and everything to do it with.
func (f *frame) smooths() bool {
	useful := false
	for _, c := range f.components {
		if !f.progressive || c.quant == nil || c.known[0] < 0 {
			return false
		}
		for k := range smoothed {
			if c.quant[zigzag[k]] == 0 {
				return false
			}
			useful = useful || k > 0 && c.known[k] != 0
		}
	}
	return useful
}

// smoother estimates the coefficients of one component.
type smoother struct {
	frame     *frame
	component *component
	scans     int
	window    estimate // DC coefficients around a block
}

// know is how exactly the coefficients of a row of blocks are known. Where the last
// scan has no data for it, it is what was known before that.
func (s *smoother) know(y int) *[blockSize]int {
	switch {
	case y/s.component.v <= s.frame.lastGoodRow:
		return &s.component.known
	case s.scans > 1:
		return &s.component.before
	}
	return &[blockSize]int{0, -1, -1, -1, -1, -1, -1, -1, -1, -1}
}

// rows are the five rows of blocks around row y. Those beyond the image repeat the last
// one; next to the first and to the last row of MCUs, libjpeg-turbo 2.1 looks less far.
func (s *smoother) rows(y int) (rows [5][]block) {
	c := s.component
	mcu, last := y/c.v, s.frame.mcusHigh-1
	inMCU, height := y%c.v, min(c.blocksHigh-y/c.v*c.v, c.v)
	before, beforeThat, after := y, y, y
	if y > 0 {
		before = y - 1
	}
	beforeThat = before
	if inMCU > 1 || mcu > 1 {
		beforeThat = y - 2
	}
	if inMCU < height-1 || mcu < last {
		after = y + 1
	}
	afterThat := after
	if inMCU < height-2 || mcu+1 < last {
		afterThat = y + 2
	}
	for i, row := range [5]int{beforeThat, before, y, after, afterThat} {
		rows[i] = c.blocks[row*c.stride:][:c.blocksWide]
	}
	return rows
}

// slide moves the window to block x of its row. The first window of a row of two blocks
// ends with the first again, as in libjpeg-turbo 2.1.
func (s *smoother) slide(rows *[5][]block, x int) {
	for i := range s.window {
		w, row := &s.window[i], rows[i]
		if x == 0 {
			dc := int(row[0][0])
			*w = [5]int{dc, dc, dc, dc, dc}
			if len(row) > 1 {
				w[3] = int(row[1][0])
			}
		} else {
			copy(w[:4], w[1:])
		}
		if x+2 < len(row) {
			w[4] = int(row[x+2][0])
		}
	}
}

// smooth estimates what is not known of a block.
func (s *smoother) smooth(b *block, known *[blockSize]int) {
	surface := true
	for k := 1; k < smoothed; k++ {
		surface = surface && known[k] == -1
	}
	estimates := smoothRest[:]
	if surface {
		estimates = smoothSurface[:]
	}
	for k := 1; k < len(estimates); k++ {
		if c := &b[zigzag[k]]; known[k] != 0 && *c == 0 {
			*c = s.coefficient(&estimates[k], k, known[k])
		}
	}
	if surface {
		b[0] = s.coefficient(&estimates[0], 0, 0)
	}
}

// coefficient is the estimate of one coefficient, of which all but so many bits are
// known to be zero; below 1, nothing is known.
func (s *smoother) coefficient(weights *estimate, k, bits int) int16 {
	sum := 0
	for y, row := range weights {
		for x, weight := range row {
			sum += weight * s.window[y][x]
		}
	}
	quant := func(k int) int { return int(uint16(s.component.quant[zigzag[k]])) }
	sum *= quant(0)
	value := int32((quant(k)<<7 + max(sum, -sum)) / (quant(k) << 8))
	if bits > 0 && value >= 1<<bits {
		value = 1<<bits - 1
	}
	if sum < 0 {
		value = -value
	}
	return int16(value)
}
