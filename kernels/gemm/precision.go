package gemm

import (
	"errors"
	"fmt"

	"github.com/reidbench/reidbench/kernels/isa"
)

// Precision is what the factors of large products are rounded to. Sums, and everything else, stay float32.
type Precision int

// The precisions.
const (
	FP32 Precision = iota
	BF16           // 8 bits of precision in the range of float32
)

// ErrPrecision is wrapped by errors about a precision that is unknown, or that the instruction set in use lacks.
var ErrPrecision = errors.New("precision not available")

var precisionNames = [...]string{FP32: "fp32", BF16: "bf16"}

// String returns the name.
func (p Precision) String() string {
	if p < 0 || int(p) >= len(precisionNames) {
		return fmt.Sprintf("Precision(%d)", int(p))
	}
	return precisionNames[p]
}

// MarshalText writes the name.
func (p Precision) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads a name, or fails with an error that wraps [ErrPrecision].
func (p *Precision) UnmarshalText(text []byte) error {
	for i, name := range precisionNames {
		if name == string(text) {
			*p = Precision(i)
			return nil
		}
	}
	return fmt.Errorf("%w: %q, want fp32 or bf16", ErrPrecision, text)
}

// Available returns an error that wraps [ErrPrecision] if products of that precision cannot be computed here: those of
// BF16 need AVX512_BF16 and AVX512 as the instruction set in use.
func (p Precision) Available() error {
	switch {
	case p == BF16 && !isa.HasBF16():
		return fmt.Errorf("%w: bf16 needs a CPU with AVX512_BF16", ErrPrecision)
	case p == BF16 && isa.Active() != isa.AVX512:
		return fmt.Errorf("%w: bf16 needs the instruction set avx512, in use is %s", ErrPrecision, isa.Active())
	}
	return nil
}
