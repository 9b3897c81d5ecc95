// Package gemm answers how a matrix product C = A·B uses the caches and registers of one core.
//
// A [Product] is one block of the depth, small enough to stay in the second-level cache. Its kernels keep a tile of C
// in registers ([Tile]) and read A where it lies ([RowsOf], [ColumnsOf]) and B in panels as wide as a tile ([PanelsOf],
// see [Pack]) or where it lies ([MatrixOf]). What happens to C on the way to memory is its [Epilogue]. While it runs,
// its tiles fetch what is read next, its [Prefetch]. [StrassenProduct] is the same in Strassen's form, with seven
// products of quadrants in place of eight. Where the [Precision] is BF16, the factors are pairs of bf16 ([PairColumns],
// [PairRows]).
//
// The callers cut products into such blocks, share them among threads and pack B: package conv for convolutions and
// linear layers, package attention for its small products.
package gemm
