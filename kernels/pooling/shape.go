// Package pooling answers what a window holds: the largest value, [Max], the mean, [Avg], or the mean over windows that
// cover the input, [AdaptiveAvg].
//
// A layer is made for a shape; its methods take batches of samples [H,W,C].
package pooling

import (
	"fmt"

	"github.com/reidbench/reidbench/kernels/mem"
)

// Shape is a pooling window sliding over samples of shape [H,W,C].
type Shape struct {
	H, W, C int
	KH, KW  int  // window
	SH, SW  int  // stride
	PH, PW  int  // padding on every side, at most half of the window
	Ceil    bool // let the last window reach beyond the lower and right padding
}

// OutH returns the number of output rows.
func (s Shape) OutH() int { return outputSize(s.H, s.KH, s.SH, s.PH, s.Ceil) }

// OutW returns the number of output columns.
func (s Shape) OutW() int { return outputSize(s.W, s.KW, s.SW, s.PW, s.Ceil) }

// outputSize is PyTorch's rule: with ceil, a last window is added unless it would start in the padding after the input.
func outputSize(in, kernel, stride, pad int, ceil bool) int {
	span := in + 2*pad - kernel
	if !ceil {
		return span/stride + 1
	}
	out := mem.CeilDiv(span, stride) + 1
	if (out-1)*stride >= in+pad {
		out--
	}
	return out
}

// check panics on a shape that no layer can have.
func (s Shape) check(kernel string) {
	fits := min(s.H, s.W, s.C, s.KH, s.KW, s.SH, s.SW) > 0 && min(s.PH, s.PW) >= 0 &&
		2*s.PH <= s.KH && 2*s.PW <= s.KW && s.KH <= s.H+2*s.PH && s.KW <= s.W+2*s.PW
	if !fits {
		panic(fmt.Sprintf("%s: impossible shape %+v", kernel, s))
	}
}

// window is the part of a pooling window that lies on the input: rows [y0,y1), columns [x0,x1).
type window struct{ y0, y1, x0, x1 int }

// window returns that part of the window of the output position (oy,ox).
func (s Shape) window(oy, ox int) window {
	y, x := oy*s.SH-s.PH, ox*s.SW-s.PW
	return window{max(y, 0), min(y+s.KH, s.H), max(x, 0), min(x+s.KW, s.W)}
}
