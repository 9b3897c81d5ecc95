package train

// readParts leaves out concatenations that nobody needs as one: only batch norms read them, which take the parts
// where they lie, and give each part its own gradient. Concatenations of concatenations take the parts of those, too.
func readParts(c *compiler) int {
	dissolved := map[*concatLayer]bool{}
	for l := range each[*concatLayer](c) {
		if c.readInParts(l) {
			dissolved[l] = true
		}
	}
	if len(dissolved) == 0 {
		return 0
	}
	parts := map[*value][]*value{}
	flat := func(in []*value) (out []*value) {
		for _, v := range in {
			if of := parts[v]; of != nil {
				out = append(out, of...)
			} else {
				out = append(out, v)
			}
		}
		return out
	}
	statistics := map[*value]*partStatistics{}
	kept := c.layers[:0]
	for _, l := range c.layers {
		switch l := l.(type) {
		case *concatLayer:
			l.in = flat(l.in)
			if dissolved[l] {
				parts[l.out] = l.in
				continue
			}
		case *batchNormLayer:
			if parts[l.in[0]] != nil {
				l.in = flat(l.in)
				l.shareStatistics(statistics)
			}
		}
		kept = append(kept, l)
	}
	c.layers = kept
	c.findReaders()
	return len(dissolved)
}

// shareStatistics plans the inputs as parts, whose statistics the first batch norm that needs them computes for all.
func (l *batchNormLayer) shareStatistics(of map[*value]*partStatistics) {
	for _, v := range l.in {
		part := of[v]
		if part == nil {
			part = &partStatistics{}
			of[v] = part
		}
		if part.by == nil && !l.frozen {
			part.by = l
		}
		l.plan.parts = append(l.plan.parts, part)
	}
}

// readInParts reports whether all readers of a concatenation take its parts.
func (c *compiler) readInParts(l *concatLayer) bool {
	if len(l.out.readers) == 0 || l.out.result {
		return false
	}
	for _, reader := range l.out.readers {
		switch reader := reader.(type) {
		case *concatLayer:
			if reader.positions() != l.positions() {
				return false
			}
		case *batchNormLayer:
			if reader.node.Shape != l.node.Shape || !reader.takesParts() {
				return false
			}
		default:
			return false
		}
	}
	return l.joinsOnce(map[*value]bool{})
}

// joinsOnce reports whether no value is in a concatenation twice.
func (l *concatLayer) joinsOnce(seen map[*value]bool) bool {
	for _, v := range l.in {
		if seen[v] {
			return false
		}
		seen[v] = true
		if inner, ok := v.maker.(*concatLayer); ok && !inner.joinsOnce(seen) {
			return false
		}
	}
	return true
}

// takesParts reports whether the input may be in parts: nothing but convolutions reads the output, and the last of
// them to add to its gradient takes the sums of that.
func (l *batchNormLayer) takesParts() bool {
	if l.residual != nil || len(l.out.readers) == 0 {
		return false
	}
	for _, reader := range l.out.readers {
		if _, ok := reader.(*convLayer); !ok {
			return false
		}
	}
	last := l.out.readers[0].(*convLayer)
	if l.out.needs && l.plan.sums == nil {
		return false
	}
	return last.endsGradient(l) && last.kernel.SumsPartsGradient(l.kernel)
}
