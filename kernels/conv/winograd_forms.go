package conv

import "github.com/reidbench/reidbench/kernels/gemm"

// Where Winograd's forms pay. The transforms cost as much as some products per channel, those of the filters as much as
// some tiles: these are the channels and tiles from which the form is faster. The small form saves less and needs more
// channels for it.
const (
	minSmallChannels = 48
	minLargeChannels = 24
	minWinogradTiles = 24
	minKeptTiles     = 8 // with minSmallChannels or more, where the filters are transformed once

	// Up to this size, groups have kernels of their own that are faster in the forward pass and the weight gradient.
	maxDirectChannels = 31  // of a group
	maxDirectPixels   = 128 // of an image
)

// winogradForms are the directions of a convolution in Winograd's form, nil where that never pays.
type winogradForms struct {
	forward, data *winogradProduct
	few           *winogradProduct // forward, for images that are too few tiles of the other's size
	weights       *winogradWeights
}

// useWinograd lets a convolution use Winograd's forms where they pay.
func (c *Conv) useWinograd() {
	minTiles := minWinogradTiles
	if c.s.Kept && min(c.s.C, c.s.OutC)/c.s.Groups >= minSmallChannels {
		minTiles = minKeptTiles
	}
	c.winograd = c.winogradForms(minSmallChannels, minLargeChannels, minTiles)
	if c.grouped != nil && c.s.C/c.s.Groups <= maxDirectChannels && c.s.H*c.s.W <= maxDirectPixels {
		c.winograd.forward, c.winograd.few, c.winograd.weights = nil, nil, nil
	}
}

// winogradForms sets up the forms that there are for a convolution, for the directions in which the groups have enough
// channels and for batches of enough tiles.
func (c *Conv) winogradForms(minSmall, minLarge, minTiles int) (w winogradForms) {
	s := c.s
	if s.SH != 1 || s.SW != 1 {
		return w
	}
	var precise, fast *winogradForm // of outputs that nothing normalises, and of the others and the gradients
	switch [2]int{s.KH, s.KW} {
	case [2]int{3, 3}:
		precise, fast = smallForm, largeForm
	case [2]int{5, 5}:
		precise, fast, minSmall = form5x5, form5x5, minLarge
	case [2]int{1, 7}:
		fast = form1x7
	case [2]int{7, 1}:
		fast = form7x1
	}
	channels := min(s.C, s.OutC) / s.Groups
	if precise != nil && channels >= minSmall {
		w.forward = newWinogradProduct(&c.forward, precise, minTiles)
	}
	if fast != nil && channels >= minLarge {
		// Products of less precise factors leave no room for larger errors.
		if s.BeforeNorm && s.Precision == gemm.FP32 {
			if s.Kept {
				w.few = w.forward
			}
			w.forward = newWinogradProduct(&c.forward, fast, minTiles)
		}
		w.data = newWinogradProduct(&c.data[0], fast, minTiles)
		w.weights = newWinogradWeights(&c.weights.weightProduct, fast, minTiles)
	}
	return w
}

// pays reports whether there is such a form and n images have enough tiles for it.
func (p *winogradProduct) pays(n int) bool { return p != nil && n*p.grid.perImage() >= p.minTiles }

// pays reports whether there is such a form and n images have enough tiles for it.
func (w *winogradWeights) pays(n int) bool { return w != nil && n*w.grid.perImage() >= w.minTiles }
