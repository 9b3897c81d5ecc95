package conv

import (
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/mem"
)

// storing says how blocks of a product reach their destination. It is decided once a call.
type storing int

const (
	storeDirectly storing = iota // by tiles
	storePast                    // by tiles, past the caches where they have whole lines
	storeBands                   // past the caches, band by band: tiles have no whole lines, but a band of rows has
	storeAside                   // past the caches, when the sums of a block are taken
	storeStrided                 // to pixels that are apart, when the block is complete
)

// chooseStoring decides for the operands that are set; without any, for those that need most scratch. What is added to
// itself is read, and so in the caches.
func (p *implicitProduct) chooseStoring() storing {
	whole := p.dstPixel%gemm.TileFor(isa.Active()).Cols == 0
	switch {
	case p.phase.sh != 1 || p.phase.sw != 1:
		return storeStrided
	case p.add != nil && &p.add[0] == &p.dst[0]:
		return storeDirectly
	case p.norm != nil && p.norm.Aside():
		return storeAside
	case p.norm != nil || !mem.PastCaches(p.rows()*p.dstPixel):
		return storeDirectly
	case whole || p.columnBlock() < p.dstPixel || p.blockDepth() < p.steps() || p.quartered():
		return storePast
	case mem.Aligned(p.dst):
		return storeBands
	}
	return storeDirectly
}
