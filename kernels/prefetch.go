package kernels

// prefetch is memory that the tiles of a product fetch into the second-level cache while they multiply, because it is
// read soon after: memory would else be waited for while nothing is multiplied.
type prefetch struct {
	blocks [4]fetchedBlock // in the order of use
	first  int             // tiles that fetch them, the first ones of the product; 0 is all
	rest   []float32       // what the other tiles fetch

	// Of the product that runs.
	tiles, steps    int // steps of the depth of each tile
	firstTiles      int
	floats, strips  int // of all blocks
	share, restPart int // floats that each of the first tiles fetches, and each of the others
}

// fetchedBlock is contiguous, or a block of a wider matrix that is cut into strips: two cache lines wide, with a row
// for every step of the depth.
type fetchedBlock struct {
	data   []float32
	row    int // floats from one row to the next
	strips int // 0 if the block is contiguous
}

// spread returns memory that all tiles fetch evenly, or those that during names.
func spread(x ...[]float32) prefetch {
	var f prefetch
	for i := range x {
		f.blocks[i].data = x[i]
	}
	return f
}

// during has only some tiles fetch what was given, the first ones.
func (f prefetch) during(tiles int) prefetch {
	f.first = tiles
	return f
}

// then has the tiles after the first ones fetch x evenly.
func (f prefetch) then(x []float32) prefetch {
	f.rest = x
	return f
}

// strips returns blocks that are fetched strip by strip, by as many tiles as there are strips.
func strips(blocks ...fetchedBlock) prefetch {
	var f prefetch
	copy(f.blocks[:], blocks)
	return f
}

// stripsOf cuts columns of a matrix into strips.
func stripsOf(data []float32, row, cols int) fetchedBlock {
	return fetchedBlock{data, row, ceilDiv(cols, 2*cacheLine)}
}

// start begins a product of the given number of tiles, each with the given number of steps.
func (f *prefetch) start(tiles, steps int) {
	f.tiles, f.steps, f.floats, f.strips = tiles, steps, 0, 0
	for i := range f.blocks {
		f.floats += len(f.blocks[i].data)
		f.strips += f.blocks[i].strips
	}
	if f.firstTiles = f.first; f.first == 0 {
		f.firstTiles = tiles
	}
	f.share, f.restPart = ceilDiv(f.floats, max(f.firstTiles, 1)), ceilDiv(len(f.rest), max(tiles-f.firstTiles, 1))
}

// fetched is what one tile fetches: two cache lines at every step of its depth, perStep floats further each time. The
// tile below it begins perBand floats further on.
type fetched struct {
	at               []float32 // nil for nothing
	perStep, perBand int
}

// next returns what a tile fetches, and how many tiles from it on continue it, each perBand further on.
func (f *prefetch) next(tile int) (piece fetched, tiles int) {
	switch {
	case f.strips > 0:
		return f.strip(tile)
	case tile < f.firstTiles:
		from := tile * f.share
		for i := range f.blocks {
			x := f.blocks[i].data
			if from < len(x) {
				return f.piece(x[from:], f.share, f.firstTiles-tile)
			}
			from -= len(x)
		}
		return fetched{}, f.firstTiles - tile
	}
	tile -= f.firstTiles
	if from := tile * f.restPart; from < len(f.rest) {
		return f.piece(f.rest[from:], f.restPart, f.tiles-f.firstTiles-tile)
	}
	return fetched{}, f.tiles - f.firstTiles - tile
}

// piece returns the share of a tile, with which x begins, and how many of the given tiles find theirs in x.
func (f *prefetch) piece(x []float32, share, tiles int) (fetched, int) {
	return fetched{x, ceilDiv(share, f.steps), share}, min(tiles, ceilDiv(len(x), share))
}

// strip is next for strips. A tile fetches one of them or none.
func (f *prefetch) strip(tile int) (fetched, int) {
	strip := tile * f.strips / f.tiles
	if tile > 0 && (tile-1)*f.strips/f.tiles == strip {
		return fetched{}, ceilDiv((strip+1)*f.tiles, f.strips) - tile
	}
	blocks := f.blocks[:]
	for strip >= blocks[0].strips {
		strip -= blocks[0].strips
		blocks = blocks[1:]
	}
	return fetched{at: blocks[0].data[2*cacheLine*strip:], perStep: blocks[0].row}, 1
}
