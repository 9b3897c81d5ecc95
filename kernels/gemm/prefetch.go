package gemm

import "github.com/reidbench/reidbench/kernels/mem"

// Prefetch is memory that the tiles of a product fetch into the second-level cache while they multiply, because it is
// read soon after: whoever reads it need not wait for memory then. [PrefetchEvenly] and [PrefetchStrips] make one.
type Prefetch struct {
	blocks [4]PrefetchBlock // in the order of use
	first  int              // tiles that fetch them, the first ones of the product; 0 is all
	rest   []float32        // what the other tiles fetch

	// Of the product that runs.
	tiles, firstTiles int
	strips            int     // of all blocks
	each, others      portion // of the first tiles, and of those after them
}

// portion is what a tile fetches, in floats.
type portion struct{ size, perStep int }

// PrefetchBlock is contiguous, or a block of a wider matrix that is cut into strips: two cache lines wide, with a row
// for every step of the depth. [StripsOf] cuts one.
type PrefetchBlock struct {
	data   []float32
	row    int // floats from one row to the next
	strips int // 0 if the block is contiguous
}

// PrefetchEvenly has each tile fetch an equal share of x, of at most four pieces.
func PrefetchEvenly(x ...[]float32) Prefetch {
	var f Prefetch
	for i := range x {
		f.blocks[i].data = x[i]
	}
	return f
}

// ByFirst has only the first tiles of the product fetch what [PrefetchEvenly] was given.
func (f Prefetch) ByFirst(tiles int) Prefetch {
	f.first = tiles
	return f
}

// Then has the tiles after those of [Prefetch.ByFirst] fetch x, an equal share each.
func (f Prefetch) Then(x []float32) Prefetch {
	f.rest = x
	return f
}

// PrefetchStrips has one tile fetch each strip of the blocks, at most four, in the order in which they are given. The
// tiles that do so are as far apart as there are tiles for it.
func PrefetchStrips(blocks ...PrefetchBlock) Prefetch {
	var f Prefetch
	copy(f.blocks[:], blocks)
	return f
}

// StripsOf cuts the first columns of a matrix, whose rows are row floats apart, into strips.
func StripsOf(data []float32, row, cols int) PrefetchBlock {
	return PrefetchBlock{data, row, mem.CeilDiv(cols, 2*mem.Line)}
}

// start begins a product of the given number of tiles, each with the given number of steps.
func (f *Prefetch) start(tiles, steps int) {
	f.tiles, f.firstTiles, f.strips = tiles, f.first, 0
	if f.first == 0 {
		f.firstTiles = tiles
	}
	floats := 0
	for i := range f.blocks {
		floats += len(f.blocks[i].data)
		f.strips += f.blocks[i].strips
	}
	f.each, f.others = portionOf(floats, f.firstTiles, steps), portionOf(len(f.rest), tiles-f.firstTiles, steps)
}

// portionOf cuts what some tiles fetch.
func portionOf(floats, tiles, steps int) portion {
	if floats == 0 || tiles < 1 {
		return portion{}
	}
	size := mem.CeilDiv(floats, tiles)
	return portion{size, mem.CeilDiv(size, steps)}
}

// fetched is what one tile fetches: two cache lines at every step of its depth, perStep floats further each time. The
// tile below it begins perBand floats further on.
type fetched struct {
	at               []float32 // nil for nothing
	perStep, perBand int
}

// next returns what a tile fetches, and the number of tiles that this stands for, at most the given one: each tile
// after the first fetches what lies perBand further on.
func (f *Prefetch) next(tile, tiles int) (fetched, int) {
	if f.strips > 0 {
		return f.strip(tile, tiles)
	}
	if tile < f.firstTiles {
		tiles = min(tiles, f.firstTiles-tile)
		from := tile * f.each.size
		for i := range f.blocks {
			x := f.blocks[i].data
			if from < len(x) {
				return f.each.of(x[from:], tiles)
			}
			from -= len(x)
		}
		return fetched{}, tiles
	}
	if from := (tile - f.firstTiles) * f.others.size; from < len(f.rest) {
		return f.others.of(f.rest[from:], tiles)
	}
	return fetched{}, tiles
}

// of returns the portion of a tile, with which x begins, and the number of tiles, at most the given one, whose portions
// lie in x.
func (s portion) of(x []float32, tiles int) (fetched, int) {
	if tiles > 1 {
		tiles = min(tiles, mem.CeilDiv(len(x), s.size))
	}
	return fetched{x, s.perStep, s.size}, tiles
}

// strip is next for strips. A tile fetches one of them or none.
func (f *Prefetch) strip(tile, tiles int) (fetched, int) {
	strip := tile * f.strips / f.tiles
	if tile > 0 && (tile-1)*f.strips/f.tiles == strip {
		return fetched{}, min(tiles, mem.CeilDiv((strip+1)*f.tiles, f.strips)-tile)
	}
	blocks := f.blocks[:]
	for strip >= blocks[0].strips {
		strip -= blocks[0].strips
		blocks = blocks[1:]
	}
	return fetched{at: blocks[0].data[2*mem.Line*strip:], perStep: blocks[0].row}, 1
}
