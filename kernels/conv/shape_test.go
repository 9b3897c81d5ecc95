package conv

import "fmt"

// eachProduct is a convolution as its seven loops: visit is called for every product of n samples with the indices of
// the values of y, x and w that take part.
func eachProduct(s Shape, n int, visit func(y, x, w int)) {
	oh, ow, in, out := s.OutH(), s.OutW(), s.C/s.Groups, s.OutC/s.Groups
	for b := range n {
		for oy := range oh {
			for ox := range ow {
				for ky := range s.KH {
					for kx := range s.KW {
						iy, ix := oy*s.SH-s.PH+ky, ox*s.SW-s.PW+kx
						if iy < 0 || iy >= s.H || ix < 0 || ix >= s.W {
							continue
						}
						for o := range s.OutC {
							for i := range in {
								w := ((o*s.KH+ky)*s.KW+kx)*in + i
								if s.Depthwise() {
									w = (ky*s.KW+kx)*s.C + o
								}
								visit(((b*oh+oy)*ow+ox)*s.OutC+o, ((b*s.H+iy)*s.W+ix)*s.C+o/out*in+i, w)
							}
						}
					}
				}
			}
		}
	}
}

// convShapes covers kernels of 1 to 11, strides of 1 to 4, paddings up to the kernel, groups, and channels that fill no
// vector; and row counts below and above one block.
var convShapes = []Shape{
	{H: 1, W: 1, C: 1, OutC: 1, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1},
	{H: 7, W: 5, C: 24, OutC: 40, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1},
	{H: 12, W: 12, C: 512, OutC: 33, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1},
	{H: 9, W: 8, C: 72, OutC: 88, KH: 1, KW: 1, SH: 2, SW: 2, Groups: 1},
	{H: 9, W: 6, C: 16, OutC: 17, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1},
	{H: 16, W: 8, C: 64, OutC: 64, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1},
	{H: 11, W: 10, C: 40, OutC: 72, KH: 3, KW: 3, SH: 2, SW: 2, PH: 1, PW: 1, Groups: 1},
	{H: 23, W: 19, C: 3, OutC: 64, KH: 7, KW: 7, SH: 2, SW: 2, PH: 3, PW: 3, Groups: 1},
	{H: 31, W: 25, C: 3, OutC: 11, KH: 11, KW: 11, SH: 4, SW: 4, PH: 2, PW: 2, Groups: 1},
	{H: 8, W: 9, C: 5, OutC: 6, KH: 5, KW: 5, SH: 1, SW: 3, PH: 2, PW: 4, Groups: 1},
	{H: 9, W: 11, C: 13, OutC: 9, KH: 1, KW: 7, SH: 1, SW: 1, PW: 3, Groups: 1},
	{H: 11, W: 9, C: 9, OutC: 13, KH: 7, KW: 1, SH: 1, SW: 1, PH: 3, Groups: 1},
	{H: 4, W: 4, C: 3, OutC: 5, KH: 2, KW: 2, SH: 3, SW: 3, PH: 2, PW: 2, Groups: 1},    // windows in the padding only
	{H: 3, W: 2, C: 4, OutC: 4, KH: 1, KW: 1, SH: 4, SW: 3, Groups: 1},                  // strides beyond the image
	{H: 16, W: 8, C: 3, OutC: 8, KH: 4, KW: 4, SH: 4, SW: 4, Groups: 1},                 // patches
	{H: 9, W: 101, C: 3, OutC: 24, KH: 3, KW: 3, SH: 2, SW: 2, PH: 1, PW: 1, Groups: 1}, // lines, this one and the next
	{H: 8, W: 160, C: 4, OutC: 40, KH: 5, KW: 7, SH: 1, SW: 3, PH: 4, PW: 2, Groups: 1},
	{H: 6, W: 7, C: 8, OutC: 12, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 2},
	{H: 12, W: 11, C: 32, OutC: 32, KH: 3, KW: 3, SH: 2, SW: 2, PH: 1, PW: 1, Groups: 8},
	{H: 5, W: 6, C: 48, OutC: 24, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 3},
	{H: 5, W: 5, C: 6, OutC: 12, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 6}, // two outputs per channel
	{H: 9, W: 11, C: 8, OutC: 8, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 2}, // small groups from here on
	{H: 21, W: 18, C: 12, OutC: 24, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 6},
	{H: 13, W: 17, C: 40, OutC: 40, KH: 3, KW: 3, SH: 2, SW: 2, PH: 1, PW: 1, Groups: 5},
	{H: 6, W: 3, C: 24, OutC: 48, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 3},
	{H: 7, W: 9, C: 48, OutC: 24, KH: 3, KW: 3, SH: 2, SW: 2, PH: 1, PW: 1, Groups: 3},
	{H: 8, W: 4, C: 32, OutC: 64, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 2},
	{H: 9, W: 8, C: 48, OutC: 48, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 2},
	{H: 5, W: 34, C: 72, OutC: 72, KH: 3, KW: 3, SH: 2, SW: 2, PH: 1, PW: 1, Groups: 3},
	{H: 10, W: 7, C: 96, OutC: 96, KH: 3, KW: 3, SH: 1, SW: 2, PH: 2, PW: 0, Groups: 2},
	{H: 6, W: 5, C: 16, OutC: 16, KH: 5, KW: 3, SH: 2, SW: 1, PH: 4, PW: 3, Groups: 8},
	{H: 1, W: 5, C: 1700, OutC: 65, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}, // linear
	{H: 1, W: 129, C: 48, OutC: 192, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1},
	{H: 9, W: 7, C: 3, OutC: 3, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 3}, // depthwise from here on
	{H: 13, W: 10, C: 40, OutC: 40, KH: 3, KW: 3, SH: 2, SW: 2, PH: 1, PW: 1, Groups: 40},
	{H: 12, W: 9, C: 72, OutC: 72, KH: 5, KW: 5, SH: 2, SW: 2, PH: 2, PW: 2, Groups: 72},
	{H: 8, W: 9, C: 29, OutC: 29, KH: 5, KW: 5, SH: 1, SW: 1, PH: 2, PW: 2, Groups: 29},
	{H: 9, W: 9, C: 88, OutC: 88, KH: 7, KW: 7, SH: 1, SW: 1, PH: 3, PW: 3, Groups: 88},
	{H: 3, W: 4, C: 16, OutC: 16, KH: 4, KW: 2, SH: 3, SW: 1, PH: 4, PW: 2, Groups: 16},
	{H: 2, W: 2, C: 24, OutC: 24, KH: 1, KW: 1, SH: 3, SW: 3, PH: 0, PW: 0, Groups: 24},
}

func convName(s Shape) string {
	return fmt.Sprintf("%dx%dx%d-%d/k%dx%d/s%dx%d/p%dx%d/g%d",
		s.H, s.W, s.C, s.OutC, s.KH, s.KW, s.SH, s.SW, s.PH, s.PW, s.Groups)
}
