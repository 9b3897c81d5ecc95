package jpeg

// upsampler gives one component as many samples as there are pixels: with triangle
// filters where it has half of them, along rows, columns or both, else by repetition.
type upsampler struct {
	component *component
	timesH    int
	timesV    int
	out       []byte
	filter    func(u *upsampler, y int)
}

func newUpsampler(f *frame, c *component) *upsampler {
	u := &upsampler{component: c, timesH: f.maxH / c.h, timesV: f.maxV / c.v}
	u.out = make([]byte, c.width*u.timesH)
	wide := c.width > 2 // a narrow component is repeated along rows
	switch {
	case u.timesH == 1 && u.timesV == 1:
		u.out = nil
	case u.timesH == 2 && u.timesV == 1 && wide:
		u.filter = (*upsampler).alongRow
	case u.timesH == 1 && u.timesV == 2:
		u.filter = (*upsampler).alongColumns
	case u.timesH == 2 && u.timesV == 2 && wide:
		u.filter = (*upsampler).alongBoth
	default:
		u.filter = (*upsampler).repeat
	}
	return u
}

// row is row y of the image; the next call overwrites it.
func (u *upsampler) row(y int) []byte {
	if u.filter == nil {
		return u.component.row(y)
	}
	u.filter(u, y)
	return u.out
}

// row are the samples of one row, without those that only fill up a block.
func (c *component) row(y int) []byte { return c.samples[y*c.blocksWide*blockEdge:][:c.width] }

// nearest are the rows that lie nearest to row y of twice as many, the nearer first.
func (u *upsampler) nearest(y int) (near, far []byte) {
	c := u.component
	return c.row(y / 2), c.row(min(max(y/2-1+y%2*2, 0), c.height-1))
}

func (u *upsampler) repeat(y int) {
	row := u.component.row(y / u.timesV)
	for x := range u.out {
		u.out[x] = row[x/u.timesH]
	}
}

// alongRow has weights ¾ and ¼; halves are rounded down and up in turns.
func (u *upsampler) alongRow(y int) {
	in, out := u.component.row(y), u.out
	out[0], out[len(out)-1] = in[0], in[len(in)-1]
	for x := 1; x < len(in); x++ {
		left, right := int32(in[x-1]), int32(in[x])
		pair := out[2*x-1:][:2]
		pair[0] = byte((3*left + right + 2) >> 2)
		pair[1] = byte((3*right + left + 1) >> 2)
	}
}

// alongColumns has the same weights.
func (u *upsampler) alongColumns(y int) {
	near, far := u.nearest(y)
	round := int32(1 + y%2)
	for x := range u.out {
		u.out[x] = byte((3*int32(near[x]) + int32(far[x]) + round) >> 2)
	}
}

// alongBoth has the products of the weights, and is rounded once.
func (u *upsampler) alongBoth(y int) {
	near, far := u.nearest(y)
	far, out := far[:len(near)], u.out
	left := 3*int32(near[0]) + int32(far[0])
	out[0] = byte((4*left + 8) >> 4)
	for x := 1; x < len(near); x++ {
		right := 3*int32(near[x]) + int32(far[x])
		pair := out[2*x-1:][:2]
		pair[0] = byte((3*left + right + 7) >> 4)
		pair[1] = byte((3*right + left + 8) >> 4)
		left = right
	}
	out[len(out)-1] = byte((4*left + 7) >> 4)
}
