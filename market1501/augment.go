package market1501

import (
	"math"
	"math/bits"
	"math/rand/v2"
)

// Augmentation says how training images are varied beside being mirrored. The zero value leaves them as they are.
type Augmentation struct {
	// Erasing is the probability with which a rectangle of an image is replaced by the mean colour (random erasing:
	// Zhong et al., AAAI 2020). It takes a share of the image from 0.02 to 0.4 and is from 0.3 to 1/0.3 times as high
	// as wide, both drawn uniformly, and lies anywhere within the image.
	Erasing float64
	// PadCrop is by how many pixels an image is padded with black on all sides before an image of its old size is cut
	// out, anywhere in it.
	PadCrop int
}

// The rectangles of [Augmentation.Erasing], of which attempts many are drawn until one fits.
const (
	leastErased, mostErased = 0.02, 0.4
	flattest                = 0.3
	attempts                = 100
)

// A rectangle of pixels.
type rectangle struct{ y, x, height, width int }

// variation is what becomes of one image.
type variation struct {
	dy, dx int       // of what is cut out, from where the image was before it was padded
	erased rectangle // empty: none
}

// draw draws the variation of an image [height, width].
func (a Augmentation) draw(height, width int, random *rand.PCG) variation {
	var v variation
	if a.PadCrop > 0 {
		v.dy, v.dx = below(2*a.PadCrop+1, random)-a.PadCrop, below(2*a.PadCrop+1, random)-a.PadCrop
	}
	if a.Erasing > 0 && uniform(0, 1, random) < a.Erasing {
		v.erased = drawErased(height, width, random)
	}
	return v
}

// drawErased is empty if no rectangle fits.
func drawErased(height, width int, random *rand.PCG) rectangle {
	for range attempts {
		area := uniform(leastErased, mostErased, random) * float64(height*width)
		aspect := uniform(flattest, 1/flattest, random)
		h, w := int(math.Round(math.Sqrt(area*aspect))), int(math.Round(math.Sqrt(area/aspect)))
		if r := (rectangle{height: h, width: w}); 0 < h && h < height && 0 < w && w < width {
			r.y, r.x = below(height-r.height+1, random), below(width-r.width+1, random)
			return r
		}
	}
	return rectangle{}
}

// below is a random number in [0, n).
func below(n int, random *rand.PCG) int {
	i, _ := bits.Mul64(random.Uint64(), uint64(n))
	return int(i)
}

// uniform is a random number in [low, high).
func uniform(low, high float64, random *rand.PCG) float64 {
	return low + (high-low)*float64(random.Uint64()>>11)/(1<<53)
}

// fillVaried writes an image as v has it, mirrored before that or not.
func (b *Batcher) fillVaried(dst []float32, src []byte, mirrored bool, v variation) {
	height, width := b.images.Height, b.images.Width
	for y := range height {
		for x := range width {
			out := dst[(y*width+x)*3:][:3]
			fromY, fromX := y+v.dy, x+v.dx
			if fromY < 0 || fromY >= height || fromX < 0 || fromX >= width {
				out[0], out[1], out[2] = b.table[0][0], b.table[1][0], b.table[2][0]
				continue
			}
			if mirrored {
				fromX = width - 1 - fromX
			}
			in := src[(fromY*width+fromX)*3:][:3]
			out[0], out[1], out[2] = b.table[0][in[0]], b.table[1][in[1]], b.table[2][in[2]]
		}
	}
	for y := range v.erased.height {
		clear(dst[((v.erased.y+y)*width+v.erased.x)*3:][:v.erased.width*3]) // the mean, normalised
	}
}
