package tensor

import (
	"encoding/binary"
	"math"
)

// DType is an element type under its safetensors name. All are stored little endian.
type DType string

// The element types that both file formats know.
const (
	Bool       DType = "BOOL"
	Uint8      DType = "U8"
	Int8       DType = "I8"
	Float8E5M2 DType = "F8_E5M2"
	Float8E4M3 DType = "F8_E4M3"
	Int16      DType = "I16"
	Uint16     DType = "U16"
	Float16    DType = "F16"
	BFloat16   DType = "BF16"
	Int32      DType = "I32"
	Uint32     DType = "U32"
	Float32    DType = "F32"
	Int64      DType = "I64"
	Uint64     DType = "U64"
	Float64    DType = "F64"
	Complex64  DType = "C64"
)

var sizes = map[DType]int{
	Bool: 1, Uint8: 1, Int8: 1, Float8E5M2: 1, Float8E4M3: 1,
	Int16: 2, Uint16: 2, Float16: 2, BFloat16: 2,
	Int32: 4, Uint32: 4, Float32: 4,
	Int64: 8, Uint64: 8, Float64: 8, Complex64: 8,
}

// Size is the number of bytes of one element, 0 for a type that isn't known.
func (d DType) Size() int { return sizes[d] }

// Real reports whether the values are floating-point numbers that convert to float32: F64, F32, F16 and BF16.
func (d DType) Real() bool {
	return d == Float64 || d == Float32 || d == Float16 || d == BFloat16
}

// decode converts len(dst) elements of a real type. F64 values are rounded to nearest even, as in Go's conversion.
func (d DType) decode(dst []float32, src []byte) {
	switch d {
	case Float64:
		for i := range dst {
			dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:])))
		}
	case Float32:
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
		}
	case Float16:
		for i := range dst {
			dst[i] = fromHalf(binary.LittleEndian.Uint16(src[2*i:]))
		}
	case BFloat16:
		for i := range dst {
			dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
		}
	default:
		panic("tensor: decoding " + string(d))
	}
}

// fromHalf converts IEEE 754 binary16, exactly. The payload of a NaN is kept.
func fromHalf(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exponent, fraction := uint32(h>>10)&0x1f, uint32(h)&0x3ff
	switch exponent {
	case 0: // zero and subnormals: fraction · 2⁻²⁴
		magnitude := float32(fraction) / (1 << 24)
		return math.Float32frombits(sign | math.Float32bits(magnitude))
	case 0x1f:
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}
