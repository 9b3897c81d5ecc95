package jpeg

import (
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	blockEdge = 8
	blockSize = blockEdge * blockEdge

	maxEdge     = 65500 // pixels, as libjpeg has it
	maxFactor   = 4     // of sampling
	maxMCUSize  = 10    // blocks (B.2.3)
	maxInOneMCU = 4     // components
)

// zigzag is where the k-th coefficient of a file lies in a block (figure A.6). Runs of
// zeros in broken files lead past the last.
var zigzag = [blockSize + 16]byte{
	0, 1, 8, 16, 9, 2, 3, 10,
	17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34,
	27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36,
	29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46,
	53, 60, 61, 54, 47, 55, 62, 63,
	63, 63, 63, 63, 63, 63, 63, 63,
	63, 63, 63, 63, 63, 63, 63, 63,
}

// block are the coefficients of 8×8 samples, row by row, before dequantization.
type block [blockSize]int16

// frame is the image that the scans are about.
type frame struct {
	height, width int
	progressive   bool
	buffered      bool // several scans tell of a block: all are kept until the last
	maxH, maxV    int  // the greatest sampling factors
	mcusWide      int  // MCUs of a scan of all components
	mcusHigh      int
	components    []*component
	lastGoodRow   int // of MCUs of all components, the last that the last scan had data for
}

// component is one plane of the image.
type component struct {
	id         byte
	h, v       int         // sampling factors
	quantPlace byte        // where its quantization table is found
	quant      *quantTable // nil before its first scan

	width, height          int // samples that become pixels
	blocksWide, blocksHigh int // blocks that have such samples
	blocks                 []block
	stride                 int    // blocks from one row to the next
	samples                []byte // [8·blocksHigh, 8·blocksWide]

	// How exactly each coefficient is known: -1 not at all, 0 exactly, else without so
	// many bits; and how exactly it was known before the latest scan.
	known, before [blockSize]int
}

// readFrame reads a frame header (B.2.2).
func (d *decoder) readFrame(content []byte, progressive bool) error {
	if len(content) < 6 {
		return errors.New("a frame header that is none")
	}
	f := &frame{
		height:      int(binary.BigEndian.Uint16(content[1:])),
		width:       int(binary.BigEndian.Uint16(content[3:])),
		progressive: progressive,
	}
	if err := d.checkSize(f.height, f.width); err != nil {
		return err
	}
	precision, count := content[0], int(content[5])
	content = content[6:]
	switch {
	case len(content) != 3*count:
		return errors.New("a frame header that is none")
	case precision != 8:
		return fmt.Errorf("%d bits a sample", precision)
	case count != 1 && count != 3 && count != 4:
		return fmt.Errorf("%d components", count)
	case f.width > maxEdge || f.height > maxEdge:
		return fmt.Errorf("%d×%d pixels", f.width, f.height)
	}
	for ; len(content) > 0; content = content[3:] {
		f.components = append(f.components, &component{
			id: content[0], h: int(content[1] >> 4), v: int(content[1] & 15), quantPlace: content[2],
		})
	}
	d.frame = f
	return nil
}

// settle computes what follows from the frame header and from the first scan.
func (f *frame) settle(first *scan) error {
	f.maxH, f.maxV = 1, 1
	for _, c := range f.components {
		if c.h < 1 || c.h > maxFactor || c.v < 1 || c.v > maxFactor {
			return fmt.Errorf("sampling factors %d×%d", c.h, c.v)
		}
		f.maxH, f.maxV = max(f.maxH, c.h), max(f.maxV, c.v)
	}
	f.mcusWide, f.mcusHigh = divideUp(f.width, f.maxH*blockEdge), divideUp(f.height, f.maxV*blockEdge)
	f.buffered = f.progressive || len(first.components) < len(f.components)
	for _, c := range f.components {
		if f.maxH%c.h != 0 || f.maxV%c.v != 0 {
			return fmt.Errorf("sampling factors %d×%d beside %d×%d", c.h, c.v, f.maxH, f.maxV)
		}
		c.width, c.height = divideUp(f.width*c.h, f.maxH), divideUp(f.height*c.v, f.maxV)
		c.blocksWide, c.blocksHigh = divideUp(c.width, blockEdge), divideUp(c.height, blockEdge)
		for k := range c.known {
			c.known[k] = -1
		}
	}
	return nil
}

// allocate makes room for the image.
func (f *frame) allocate() {
	for _, c := range f.components {
		c.samples = make([]byte, c.blocksHigh*c.blocksWide*blockSize)
		if f.buffered {
			c.stride = f.mcusWide * c.h
			c.blocks = make([]block, f.mcusHigh*c.v*c.stride)
		}
	}
}

func divideUp(n, by int) int { return (n + by - 1) / by }
