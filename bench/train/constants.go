package train

// Constants are what inference computes of the weights, once for all runs until these change: folded and packed
// weights, and the statistics of batch norms. They have buffers that live as long as the program.

// newConstant returns a buffer for a constant.
func (c *compiler) newConstant(floats int) buffer {
	b := c.newBuffer(0, floats)
	c.buffers[b].constant = true
	return b
}

// constant has a function compute constants, after those that were named before.
func (c *compiler) constant(compute func(*frame)) { c.constants = append(c.constants, compute) }

// placeConstants gives every constant an offset, and returns the floats needed.
func placeConstants(buffers []storage) int {
	total := 0
	for i := range buffers {
		if s := &buffers[i]; s.constant {
			s.offset = total
			total += s.floats()
		}
	}
	return total
}

// computeConstants computes the constants if the weights have changed since.
func (p *Program) computeConstants() {
	if p.computedFor == p.weights.version {
		return
	}
	for _, compute := range p.constants {
		compute(&p.frame)
	}
	p.computedFor = p.weights.version
}
