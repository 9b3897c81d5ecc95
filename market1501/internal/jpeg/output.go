package jpeg

// transform makes samples of all blocks.
func (d *decoder) transform() error {
	smooths := d.frame.smooths()
	for _, c := range d.frame.components {
		if c.quant == nil { // no scan has told of it
			for i := range c.samples {
				c.samples[i] = 128
			}
			continue
		}
		s := smoother{frame: d.frame, component: c, scans: d.scans}
		stride := c.blocksWide * blockEdge
		for y := range c.blocksHigh {
			if err := d.ctx.Err(); err != nil {
				return err
			}
			rows, known := s.rows(y), s.know(y)
			for x := range c.blocksWide {
				b := &rows[2][x]
				if smooths {
					d.block, b = *b, &d.block
					s.slide(&rows, x)
					s.smooth(b, known)
				}
				inverseDCT(c.samples[(y*stride+x)*blockEdge:], stride, b, c.quant)
			}
		}
	}
	return nil
}

// colours says how the samples of a file become RGB. How they are meant is not in the
// standard: JFIF and Adobe's segment say so, or the components' ids.
func (d *decoder) colours() colourConversion {
	c := d.frame.components
	ids := func(first, second, third byte) bool { return c[0].id == first && c[1].id == second && c[2].id == third }
	switch {
	case len(c) == 1:
		return greyToRGB
	case len(c) == 3 && !d.jfif && (d.adobe == 0 || d.adobe < 0 && ids('R', 'G', 'B')):
		return interleaveRGB
	case len(c) == 3:
		return yccToRGB
	case d.adobe <= 0:
		return cmykToRGB
	}
	return ycckToRGB
}

// picture makes pixels of the samples, row by row.
func (d *decoder) picture(toRGB colourConversion) (Image, error) {
	f := d.frame
	out := Image{Height: f.height, Width: f.width, Pix: make([]byte, f.height*f.width*3)}
	rows := make([][]byte, len(f.components))
	upsamplers := make([]*upsampler, len(f.components))
	for i, c := range f.components {
		upsamplers[i] = newUpsampler(f, c)
	}
	for y := range f.height {
		if y%blockEdge == 0 {
			if err := d.ctx.Err(); err != nil {
				return Image{}, err
			}
		}
		for i, u := range upsamplers {
			rows[i] = u.row(y)
		}
		toRGB(out.Pix[y*f.width*3:][:f.width*3], rows)
	}
	return out, nil
}
