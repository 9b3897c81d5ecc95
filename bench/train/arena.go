package train

import (
	"cmp"
	"slices"
	"unsafe"
)

// A buffer is one stretch of the arena, known by number until planning gives it a place.
type buffer int

// none is the absent buffer, imageBuffer the network's input, which is no part of the arena.
const (
	none        buffer = -1
	imageBuffer buffer = -2
)

// storage is what planning knows of a buffer.
type storage struct {
	perSample int // floats per sample of the batch
	fixed     int // floats in any case
	samples   int // of the batch, for which there is room
	apart     int // floats between samples of different micro-batches, 0 where the next one takes the place of the last
	first     int // the step that writes it first
	last      int // the step that uses it last
	refs      int // gradients that are held in it, while compiling
	offset    int // in floats, decided by placeBuffers

	constant bool // it is kept from one run to the next, beside the arena: see constants.go
}

func (s *storage) floats() int { return wholeLines(s.perSample*s.samples + s.fixed) }

// placeBuffers gives every buffer an offset such that no two that are alive at the same step overlap, and returns the
// floats needed. Largest first, each at the lowest place that is free for its whole life: within a few percent of the
// lower bound for these networks.
func placeBuffers(buffers []storage) int {
	order := make([]*storage, 0, len(buffers))
	for i := range buffers {
		if buffers[i].last >= 0 {
			order = append(order, &buffers[i])
		}
	}
	slices.SortStableFunc(order, func(a, b *storage) int { return cmp.Compare(b.floats(), a.floats()) })
	total := 0
	var placed []*storage // by offset
	for _, b := range order {
		size := b.floats()
		b.offset = 0
		for _, p := range placed {
			if p.first > b.last || b.first > p.last {
				continue
			}
			if p.offset >= b.offset+size {
				break
			}
			b.offset = max(b.offset, p.offset+p.floats())
		}
		byOffset := func(a, b *storage) int { return cmp.Compare(a.offset, b.offset) }
		place, _ := slices.BinarySearchFunc(placed, b, byOffset)
		placed = slices.Insert(placed, place, b)
		total = max(total, b.offset+size)
	}
	return total
}

// bytesOf reads floats as bytes.
func bytesOf(f []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(f))), 4*len(f))
}
