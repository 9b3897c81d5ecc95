package pointwise

import (
	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/vec"
)

// Add adds two tensors of the same size, and applies an activation to the sum.
type Add struct {
	kind    act.Kind
	lo, hi  float32
	clamps  bool
	size    int
	y, a, b []float32
}

// NewAdd returns the kernel of act(a + b).
func NewAdd(kind act.Kind) *Add {
	k := &Add{kind: kind}
	k.lo, k.hi, k.clamps = kind.Bounds()
	if !k.clamps {
		k.lo, k.hi, _ = act.None.Bounds()
	}
	return k
}

// Forward computes, for every i below size,
//
//	y[i] = act(a[i] + b[i])
//
// y may be a or b.
func (k *Add) Forward(p *parallel.Pool, size int, y, a, b []float32) {
	mem.CheckLen("pointwise.Add.Forward", "y", y, size)
	mem.CheckLen("pointwise.Add.Forward", "a", a, size)
	mem.CheckLen("pointwise.Add.Forward", "b", b, size)
	k.size, k.y, k.a, k.b = size, y, a, b
	p.Run(parallel.Tasks(size), (*addForward)(k))
}

type addForward Add

func (k *addForward) Do(task, _ int) {
	lo, hi := parallel.Range(task, k.size)
	y := k.y[lo:hi]
	stream := k.clamps && mem.Streams(k.y, k.size/mem.Line, mem.Line) && &k.y[0] != &k.a[0] && &k.y[0] != &k.b[0]
	vec.AddClamp(y, k.a[lo:hi], k.b[lo:hi], k.lo, k.hi, stream)
	if stream {
		mem.Fence()
	}
	if !k.clamps {
		act.Apply(k.kind, y, y)
	}
}
