package main

import "fmt"

// taps is the size of every window, in both directions.
const taps = 3

// window says along one direction what outputs see of the input: those of a convolution with a padding of one pixel, or,
// turned, the pixels of its input, of which every output sees a window.
type window struct {
	stride int
	turned bool
}

// inputs returns how many lines or columns of the input that many outputs see.
func (w window) inputs(outputs int) int {
	if w.turned {
		return outputs/w.stride + 1
	}
	return w.step(outputs) + taps - w.stride
}

// step returns how far the input moves for that many outputs.
func (w window) step(outputs int) int {
	if w.turned {
		return outputs / w.stride
	}
	return outputs * w.stride
}

// tap returns through which tap an output sees an input, outside of [0,taps) for none.
func (w window) tap(output, input int) int {
	if w.turned {
		return output + 1 - w.stride*input
	}
	return input - output*w.stride
}

// each visits the outputs, of that many, that see an input, with the tap through which they do.
func (w window) each(input, outputs int, visit func(output, tap int)) {
	for output := range outputs {
		if tap := w.tap(output, input); tap >= 0 && tap < taps {
			visit(output, tap)
		}
	}
}

func (w window) String() string {
	if w.turned {
		return fmt.Sprintf("Turned%d", w.stride)
	}
	return fmt.Sprintf("Stride%d", w.stride)
}

// seen tells whether outputs see an input through one of the taps [first, first+count).
func (w window) seen(input, outputs, first, count int) (seen bool) {
	w.each(input, outputs, func(_, tap int) { seen = seen || tap >= first && tap < first+count })
	return seen
}
