package conv

import "github.com/reidbench/reidbench/kernels/mem"

// fetching is what a kernel brings into the second-level cache while it computes: a cache line each of some pixels in
// two places. Panels are filled from there, and memory is busy all the time instead of only while they are.
type fetching struct {
	soon, also []float32 // from the first pixel on
	step       int       // floats from one pixel to the next
	count      int       // pixels in each place
}

// fetch returns a number of pixels that are step floats apart, from src[at] on, as two halves; nothing if
// src ends before.
func fetch(src []float32, at, pixels, step int) fetching {
	half := mem.CeilDiv(pixels, 2)
	if at+2*half*step >= len(src) {
		return fetching{}
	}
	return fetching{src[at:], src[at+half*step:], step, half}
}

// fetchBoth returns the pixels at the same place of two tensors; nothing if one ends before.
func fetchBoth(a, b []float32, at, pixels, step int) fetching {
	if at+pixels*step >= min(len(a), len(b)) {
		return fetching{}
	}
	return fetching{a[at:], b[at:], step, pixels}
}

// part returns one of some equal parts.
func (f fetching) part(index, parts int) fetching {
	size := mem.CeilDiv(f.count, parts)
	first := min(index*size, f.count)
	return fetching{f.soon[first*f.step:], f.also[first*f.step:], f.step, min(size, f.count-first)}
}

// perTile returns how many pixels each tile of a kernel fetches in both places.
func (f *fetching) perTile(pixels, lines int) int {
	const tile = 8 // pixels that the kernels compute at once
	return mem.CeilDiv(f.count, mem.CeilDiv(pixels, tile)*lines)
}
