package vec

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
)

// Copies and transposes keep every bit, NaN among them, and rows of any width are added.
func TestRows(t *testing.T) {
	kerneltest.ForEachISA(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(3, 4))
		for _, rows := range []int{1, 2, 7, 8, 9, 17, 33} {
			for cols := 1; cols <= 40; cols++ {
				srcRow, dstRow := cols+rng.IntN(3), max(rows, cols)+rng.IntN(3)
				src := kerneltest.Guarded(t, rng, (rows-1)*srcRow+cols)
				src[rng.IntN(len(src))] = float32(math.NaN())
				plain := kerneltest.Guarded(t, rng, (rows-1)*dstRow+cols)
				CopyRows(plain, dstRow, src, srcRow, rows, cols)
				turned := kerneltest.Guarded(t, rng, (cols-1)*dstRow+rows)
				TransposeRows(turned, dstRow, src, srcRow, rows, cols)
				sums, wantSums := kerneltest.Guarded(t, rng, cols), make([]float64, cols)
				for k := range cols {
					wantSums[k] = float64(sums[k])
					for r := range rows {
						wantSums[k] += float64(src[r*srcRow+k])
					}
				}
				AddRows(sums, src, srcRow, rows, cols)
				kerneltest.Compare(t, "AddRows", sums, wantSums, kerneltest.SumTolerance(rows))
				for r := range rows {
					for k := range cols {
						want := math.Float32bits(src[r*srcRow+k])
						if got := math.Float32bits(plain[r*dstRow+k]); got != want {
							t.Fatalf("CopyRows %d×%d: element %d,%d = %x, want %x", rows, cols, r, k, got, want)
						}
						if got := math.Float32bits(turned[k*dstRow+r]); got != want {
							t.Fatalf("TransposeRows %d×%d: element %d,%d = %x, want %x", rows, cols, r, k, got, want)
						}
					}
				}
			}
		}
	})
}
