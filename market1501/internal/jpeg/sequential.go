package jpeg

// readSequential reads a block with all of its coefficients (F.2.2), and returns the
// place of the last that is not zero. It is symbol, take and signed with the buffer in
// variables.
func (s *stream) readSequential(b *block, tables *[2]*huffTable, previous *int) (last int) {
	if n := int(s.symbol(tables[classDC])); n > 0 {
		if s.left < s.low {
			s.fill(n)
		}
		*previous += s.takeSigned(n)
	}
	b[0] = int16(*previous)

	ac := tables[classAC]
	bits, left, low := s.bits, s.left, s.low
	lookLow := max(lookBits, low)
	for k := 1; k < blockSize; k++ {
		if left < lookLow {
			s.bits, s.left = bits, left
			s.fill(0)
			bits, left = s.bits, s.left
		}
		var found lookedUp
		if left >= lookBits {
			found = ac.look[byte(bits>>(uint(left-lookBits)&63))]
		}
		left -= int(found.length)
		if found.length == 0 {
			s.bits, s.left = bits, left
			found.value = s.symbol(ac)
			bits, left = s.bits, s.left
		}
		run, n := int(found.value>>4), int(found.value&15)
		k += run
		if n == 0 {
			if run < 15 {
				break
			}
			continue
		}
		if left < n || left < low {
			s.bits, s.left = bits, left
			s.fill(n)
			bits, left = s.bits, s.left
		}
		left -= n
		value := int(bits>>(uint(left)&63)) & (1<<(uint(n)&63) - 1)
		b[zigzag[k]&(blockSize-1)] = int16(signed(value, n))
		last = k
	}
	s.bits, s.left = bits, left
	return last
}
