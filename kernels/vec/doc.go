// Package vec holds the loops over values and rows that layers are made of: elementwise sums and products, the same
// with a factor for every channel, sums over rows, copies and transposes of matrices.
//
// A loop is a function of slices that runs on the calling thread. Its scalar definition is its portable form, or stands
// in its comment.
package vec
