package bench

import (
	"errors"
	"testing"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/kernels/gemm"
)

// TestPrecisionConflicts: a run of one precision is not continued in another, and none begins where it is not
// available.
func TestPrecisionConflicts(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	mustRun(t, c)
	c.Recipe.Precision = gemm.BF16
	want := store.ErrConflict
	if gemm.BF16.Available() != nil {
		want = gemm.ErrPrecision
	}
	if _, err := Run(t.Context(), c); !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}
