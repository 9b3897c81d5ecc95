package pooling

import (
	"fmt"

	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// Max takes the maximum over windows; padding never wins.
type Max struct {
	Shape
	outH, outW int

	y, x, dx, dy []float32
	arg          []uint8
}

// NewMax returns the kernel. It panics if the shape is impossible or the window has more than 256 positions.
func NewMax(s Shape) *Max {
	s.check("pooling.NewMax")
	if s.KH*s.KW > 256 {
		panic(fmt.Sprintf("pooling.NewMax: window %d×%d has more than 256 positions", s.KH, s.KW))
	}
	return &Max{Shape: s, outH: s.OutH(), outW: s.OutW()}
}

// Forward computes, for every sample n, output position (oy,ox) and channel c,
//
//	y[n,oy,ox,c] = max over ky, kx of x[n, oy*SH-PH+ky, ox*SW-PW+kx, c]
//
// and, unless arg is nil, in arg[n,oy,ox,c] the position ky*KW+kx of the first maximum. As in PyTorch, a NaN wins over
// everything before it.
func (m *Max) Forward(p *parallel.Pool, n int, y, x []float32, arg []uint8) {
	outputs := n * m.outH * m.outW * m.C
	mem.CheckLen("pooling.Max.Forward", "y", y, outputs)
	mem.CheckLen("pooling.Max.Forward", "x", x, n*m.H*m.W*m.C)
	if arg != nil {
		checkArg("pooling.Max.Forward", arg, outputs)
	}
	m.y, m.x, m.arg = y, x, arg
	p.Run(n*m.outH, (*maxForward)(m))
}

// Backward adds every dy to the position its maximum came from:
//
//	dx = 0; dx[n, oy*SH-PH+ky, ox*SW-PW+kx, c] += dy[n,oy,ox,c]   for ky*KW+kx = arg[n,oy,ox,c]
func (m *Max) Backward(p *parallel.Pool, n int, dx, dy []float32, arg []uint8) {
	outputs := n * m.outH * m.outW * m.C
	mem.CheckLen("pooling.Max.Backward", "dx", dx, n*m.H*m.W*m.C)
	mem.CheckLen("pooling.Max.Backward", "dy", dy, outputs)
	checkArg("pooling.Max.Backward", arg, outputs)
	m.dx, m.dy, m.arg = dx, dy, arg
	p.Run(n, (*maxBackward)(m))
}

func checkArg(kernel string, arg []uint8, want int) {
	if len(arg) < want {
		panic(fmt.Sprintf("%s: arg has %d elements, want %d", kernel, len(arg), want))
	}
}

type maxForward Max

func (m *maxForward) Do(task, _ int) {
	sample, oy := task/m.outH, task%m.outH
	x := m.x[sample*m.H*m.W*m.C : (sample+1)*m.H*m.W*m.C]
	for ox := range m.outW {
		at := (task*m.outW + ox) * m.C
		y := m.y[at : at+m.C]
		w := m.window(oy, ox)
		corner := (w.y0-oy*m.SH+m.PH)*m.KW + w.x0 - ox*m.SW + m.PW
		from := x[(w.y0*m.W+w.x0)*m.C:]
		if m.arg == nil {
			maxWindow(y, from, w.y1-w.y0, w.x1-w.x0, m.W*m.C)
			continue
		}
		maxWindowArg(y, m.arg[at:at+m.C], from, w.y1-w.y0, w.x1-w.x0, m.W*m.C, corner, m.KW)
	}
}

type maxBackward Max

func (m *maxBackward) Do(sample, _ int) {
	dx := m.dx[sample*m.H*m.W*m.C : (sample+1)*m.H*m.W*m.C]
	clear(dx)
	for oy := range m.outH {
		for ox := range m.outW {
			at := ((sample*m.outH+oy)*m.outW + ox) * m.C
			w := m.window(oy, ox)
			corner := (w.y0-oy*m.SH+m.PH)*m.KW + w.x0 - ox*m.SW + m.PW
			maxGradient(dx[(w.y0*m.W+w.x0)*m.C:], m.dy[at:at+m.C], m.arg[at:at+m.C], w.y1-w.y0, w.x1-w.x0, m.W*m.C,
				corner, m.KW)
		}
	}
}
