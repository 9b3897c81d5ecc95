package pointwise

// dropGeneric is, with word[i] = mix64(state + i*golden),
//
//	y[i] = 0 if half(word[i/2], i%2) < threshold, else x[i]*keep
//
// where half 0 of a word is the low one.
func dropGeneric(y, x []float32, state uint64, threshold uint32, keep float32) {
	var word uint64
	for i, v := range x {
		if i%2 == 0 {
			word = mix64(state)
			state += golden
		} else {
			word >>= 32
		}
		if uint32(word) < threshold {
			y[i] = 0
		} else {
			y[i] = v * keep
		}
	}
}
