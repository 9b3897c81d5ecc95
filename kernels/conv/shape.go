package conv

import (
	"fmt"

	"github.com/reidbench/reidbench/kernels/gemm"
)

// Shape is a 2-D convolution of one sample: x [H,W,C] → y [OutH,OutW,OutC]. Weights are [OutC,KH,KW,C/Groups];
// those of a depthwise convolution (Groups = C = OutC) are [KH,KW,C]. A linear layer over W tokens has H = KH = KW = 1.
// Sizes, strides and padding are in pixels.
type Shape struct {
	H, W, C int // input
	OutC    int // output channels
	KH, KW  int // kernel
	SH, SW  int // stride
	PH, PW  int // zero padding on every side
	Groups  int

	// Precision is that of the products. Where FP32 is faster, and in depthwise convolutions, it stays FP32.
	Precision gemm.Precision

	// Inference says that there are no other passes than forward ones, which may be of a single sample.
	Inference bool

	// Kept says that the weights are packed once for many passes, see [Conv.Pack]: forms whose weights take long to
	// pack then pay for fewer samples.
	Kept bool

	// BeforeNorm says that the output is normalised over the batch. Then forms may have larger rounding errors.
	BeforeNorm bool
}

// OutH returns the output's height.
func (s Shape) OutH() int { return (s.H+2*s.PH-s.KH)/s.SH + 1 }

// OutW returns the output's width.
func (s Shape) OutW() int { return (s.W+2*s.PW-s.KW)/s.SW + 1 }

// MACs returns the multiply-adds of one sample, zero padding counted as if it were data.
func (s Shape) MACs() int64 {
	return int64(s.OutH()) * int64(s.OutW()) * int64(s.Weights())
}

// Weights returns the number of weights, bias not counted.
func (s Shape) Weights() int { return s.OutC * s.KH * s.KW * (s.C / s.Groups) }

// Depthwise reports whether every channel is convolved on its own.
func (s Shape) Depthwise() bool { return s.Groups == s.C && s.Groups == s.OutC && s.Groups > 1 }

func (s Shape) validate() error {
	switch {
	case s.H < 1 || s.W < 1 || s.C < 1 || s.OutC < 1:
		return fmt.Errorf("conv: shape %+v: sizes must be positive", s)
	case s.KH < 1 || s.KW < 1 || s.SH < 1 || s.SW < 1:
		return fmt.Errorf("conv: shape %+v: kernel and stride must be positive", s)
	case s.PH < 0 || s.PW < 0:
		return fmt.Errorf("conv: shape %+v: padding must not be negative", s)
	case s.Groups < 1 || s.C%s.Groups != 0 || s.OutC%s.Groups != 0:
		return fmt.Errorf("conv: shape %+v: groups must divide the channels", s)
	case s.H+2*s.PH < s.KH || s.W+2*s.PW < s.KW:
		return fmt.Errorf("conv: shape %+v: the kernel is larger than the padded input", s)
	}
	return nil
}
