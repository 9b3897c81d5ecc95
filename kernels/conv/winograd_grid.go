package conv

import "github.com/reidbench/reidbench/kernels/mem"

// tileGrid cuts the positions of a convolution into the tiles of a form.
type tileGrid struct {
	*gather
	*winogradForm
	down, across int // tiles of an image
}

func newTileGrid(g *gather, form *winogradForm) tileGrid {
	return tileGrid{g, form, mem.CeilDiv(g.outH, form.tileH), mem.CeilDiv(g.outW, form.tileW)}
}

// perImage returns the number of tiles of an image.
func (g *tileGrid) perImage() int { return g.down * g.across }

// corner returns the image of a tile and its first position.
func (g *tileGrid) corner(tile int) (n, y, x int) {
	return tile / g.perImage(), tile / g.across % g.down * g.tileH, tile % g.across * g.tileW
}

// inputTile returns the pixels under a tile, beginning with the given channel.
func (g *tileGrid) inputTile(tile, channel int) tileSource {
	n, y, x := g.corner(tile)
	y, x = y+g.top, x+g.left
	image := n * g.h * g.w * g.pixel
	return tileSource{
		data: g.src[image:], first: (y*g.w+x)*g.pixel + g.first + channel, row: g.w * g.pixel, col: g.pixel,
		rows: existing(y, g.h), cols: existing(x, g.w),
	}
}

// existing returns the bits of the pixels from first on that lie in [0,size).
func existing(first, size int) uint {
	before, end := min(max(-first, 0), maxLine), min(max(size-first, 0), maxLine)
	return 1<<end - 1<<before
}

// transformed is a block of transformed tiles, or of their products: [position, tile, channel].
type transformed struct {
	data []float32
	row  int // floats from one tile to the next
	step int // floats from one position to the next
}

// transformedTiles returns a block for some tiles, without any space.
func transformedTiles(tiles, channels int) transformed {
	return transformedRows(tiles, mem.PaddedRow(channels))
}

// transformedRows is transformedTiles for rows of the given length. The distance of positions is no power of two.
func transformedRows(tiles, row int) transformed {
	return transformed{row: row, step: tiles*row + mem.Line}
}

// at returns a position of a tile.
func (t *transformed) at(position, tile int) []float32 { return t.data[position*t.step+tile*t.row:] }

// equalBlocks returns the size of the blocks into which n is cut if none may be larger than limit; the last may be
// smaller.
func equalBlocks(n, limit int) int { return mem.CeilDiv(n, mem.CeilDiv(n, limit)) }
