package conv

// groupedTaps is the size of the windows of grouped convolutions, in both directions.
const groupedTaps = 3

// groupedWindow says along one direction through which taps outputs see the input. The generator of the assembly has a
// copy of this file. The taps by output (line) and input (column) are, for a convolution with a padding of one pixel,
// which is input 0,
//
//	stride 1  0 1 2 3 4 5    stride 2  0 1 2 3 4 5 6 7 8
//	       0  0 1 2                 0  0 1 2
//	       1    0 1 2               1      0 1 2
//	       2      0 1 2             2          0 1 2
//	       3        0 1 2           3              0 1 2
//
// and for its data gradient, whose outputs are the pixels of its input and whose inputs are its outputs: of stride 1
// the same, and of stride 2, turned,
//
//	turned  0 1 2
//	     0  1
//	     1  2 0
//	     2    1
//	     3    2 0
type groupedWindow struct {
	stride int
	turned bool // only of stride 2
}

// inputs returns how many lines or columns of the input some outputs see, those of the first being the first.
func (w groupedWindow) inputs(outputs int) int {
	if w.turned {
		return outputs/w.stride + 1
	}
	return w.step(outputs) + groupedTaps - w.stride
}

// step returns how far the input moves for some outputs, an even number of them where it is turned.
func (w groupedWindow) step(outputs int) int {
	if w.turned {
		return outputs / w.stride
	}
	return outputs * w.stride
}

// tap returns the tap through which an output sees an input, and whether there is one.
func (w groupedWindow) tap(output, input int) (tap int, ok bool) {
	if w.turned {
		tap = output + 1 - w.stride*input
	} else {
		tap = input - output*w.stride
	}
	return tap, tap >= 0 && tap < groupedTaps
}
