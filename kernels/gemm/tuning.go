package gemm

import (
	"math"

	"github.com/reidbench/reidbench/kernels/isa"
)

// Tuning is what pays on some processors and not on others. It changes no bit of a product.
type Tuning struct {
	// The widest tiles take four steps of the depth at once, fetch packed columns into the first-level cache before
	// they read them, and spend fewer instructions on what is read after the product.
	Unroll bool

	// Weight gradients pack the rows of dyᵀ, and columns that lie in memory, from these distances of pixels on, in
	// floats. Tiles would else read a few lines of every page, and of few sets of the caches.
	PackedRows, PackedColumns int
}

const never = math.MaxInt

// Tuned returns the tuning for the instruction set in use. Processors with AVX-512 and without its bf16 are Intel's.
func Tuned() Tuning {
	switch isa.Active() {
	case isa.AVX2:
		return Tuning{Unroll: true, PackedRows: 128, PackedColumns: 256}
	case isa.AVX512:
		if !isa.HasBF16() {
			return Tuning{Unroll: true, PackedRows: 256, PackedColumns: 384}
		}
	}
	return Tuning{PackedRows: never, PackedColumns: never}
}
