// Package norm answers how channels are normalised: [BatchNorm] over batch and positions, with what a convolution
// before or after it may know of it, and [LayerNorm] over the channels of a row.
//
// The backward passes recompute what they need from the input and its statistics, so that only those are kept. Sums
// over rows are float32 within a block of rows and float64 from there on.
package norm
