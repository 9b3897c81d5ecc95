package kernels

import "fmt"

// ConvShape is a 2-D convolution of one sample: x [H,W,C] → y [OutH,OutW,OutC]. Weights are [OutC,KH,KW,C/Groups]; those
// of a depthwise convolution (Groups = C = OutC) are [KH,KW,C]. A linear layer over W tokens has H = KH = KW = 1.
type ConvShape struct {
	H, W, C int // input
	OutC    int // output channels
	KH, KW  int // kernel
	SH, SW  int // stride
	PH, PW  int // zero padding on every side
	Groups  int
}

// OutH returns the output's height.
func (s ConvShape) OutH() int { return (s.H+2*s.PH-s.KH)/s.SH + 1 }

// OutW returns the output's width.
func (s ConvShape) OutW() int { return (s.W+2*s.PW-s.KW)/s.SW + 1 }

// MACs returns the multiply-adds of one sample, zero padding counted as if it were data.
func (s ConvShape) MACs() int64 {
	return int64(s.OutH()) * int64(s.OutW()) * int64(s.Weights())
}

// Weights returns the number of weights, bias not counted.
func (s ConvShape) Weights() int { return s.OutC * s.KH * s.KW * (s.C / s.Groups) }

// Depthwise tells whether every channel is convolved on its own.
func (s ConvShape) Depthwise() bool { return s.Groups == s.C && s.Groups == s.OutC && s.Groups > 1 }

func (s ConvShape) validate() error {
	switch {
	case s.H < 1 || s.W < 1 || s.C < 1 || s.OutC < 1:
		return fmt.Errorf("kernels: convolution %+v: sizes must be positive", s)
	case s.KH < 1 || s.KW < 1 || s.SH < 1 || s.SW < 1:
		return fmt.Errorf("kernels: convolution %+v: kernel and stride must be positive", s)
	case s.PH < 0 || s.PW < 0:
		return fmt.Errorf("kernels: convolution %+v: padding must not be negative", s)
	case s.Groups < 1 || s.C%s.Groups != 0 || s.OutC%s.Groups != 0:
		return fmt.Errorf("kernels: convolution %+v: groups must divide the channels", s)
	case s.H+2*s.PH < s.KH || s.W+2*s.PW < s.KW:
		return fmt.Errorf("kernels: convolution %+v: the kernel is larger than the padded input", s)
	}
	return nil
}

// Epilogue is what happens to a convolution's output before it is stored: y = act(conv + bias + add).
type Epilogue struct {
	Bias []float32 // [OutC], nil for none
	Add  []float32 // shape of y, may be y itself; nil for none
	Act  Act       // ActNone or ActReLU
}

// Conv computes a convolution and its gradients.
type Conv struct {
	s ConvShape
}

// NewConv returns a convolution of the given shape, or an error if there is none.
func NewConv(s ConvShape) (*Conv, error) {
	if err := s.validate(); err != nil {
		return nil, err
	}
	return &Conv{s: s}, nil
}

// Workspace returns how many floats of scratch the calls for n samples on a pool of the given threads need.
func (c *Conv) Workspace(n, threads int) int { return 0 }

// each calls visit for every product of the convolution of n samples, with the indices into y, x and w.
func (c *Conv) each(n int, visit func(y, x, w int)) {
	s := c.s
	oh, ow, ig, og := s.OutH(), s.OutW(), s.C/s.Groups, s.OutC/s.Groups
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
							for i := range ig {
								w := ((o*s.KH+ky)*s.KW+kx)*ig + i
								if s.Depthwise() {
									w = (ky*s.KW+kx)*s.C + o
								}
								visit(((b*oh+oy)*ow+ox)*s.OutC+o, ((b*s.H+iy)*s.W+ix)*s.C+o/og*ig+i, w)
							}
						}
					}
				}
			}
		}
	}
}

// Forward computes y = act(conv(x, w) + bias + add).
func (c *Conv) Forward(p *Pool, n int, y, x, w []float32, e Epilogue, ws []float32) {
	oc := c.s.OutC
	y = y[:n*c.s.OutH()*c.s.OutW()*oc]
	if e.Add == nil {
		clear(y)
	} else {
		copy(y, e.Add)
	}
	c.each(n, func(yi, xi, wi int) { y[yi] += x[xi] * w[wi] })
	for i := range y {
		if e.Bias != nil {
			y[i] += e.Bias[i%oc]
		}
		if e.Act == ActReLU {
			y[i] = max(y[i], 0)
		}
	}
}

// BackwardData computes dx = convᵀ(dy, w) + add. Add has the shape of x and may be dx itself; nil for none.
func (c *Conv) BackwardData(p *Pool, n int, dx, dy, w, add, ws []float32) {
	dx = dx[:n*c.s.H*c.s.W*c.s.C]
	if add == nil {
		clear(dx)
	} else {
		copy(dx, add)
	}
	c.each(n, func(yi, xi, wi int) { dx[xi] += dy[yi] * w[wi] })
}

// BackwardWeights computes the gradients of the weights and of the bias (db may be nil), or adds them to dw and db.
func (c *Conv) BackwardWeights(p *Pool, n int, dw, db, dy, x []float32, accumulate bool, ws []float32) {
	if !accumulate {
		clear(dw)
		clear(db)
	}
	c.each(n, func(yi, xi, wi int) { dw[wi] += dy[yi] * x[xi] })
	if db != nil {
		for i, v := range dy[:n*c.s.OutH()*c.s.OutW()*c.s.OutC] {
			db[i%c.s.OutC] += v
		}
	}
}
