package kernels

// Add adds two tensors of the same size, and applies an activation to the sum.
type Add struct {
	act     Act
	lo, hi  float32
	clamps  bool
	size    int
	y, a, b []float32
}

// NewAdd returns the kernel of act(a + b).
func NewAdd(act Act) *Add {
	k := &Add{act: act}
	k.lo, k.hi, k.clamps = act.clampBounds()
	if !k.clamps {
		k.lo, k.hi, _ = ActNone.clampBounds()
	}
	return k
}

// Forward computes, for every i below size,
//
//	y[i] = act(a[i] + b[i])
//
// y may be a or b.
func (k *Add) Forward(p *Pool, size int, y, a, b []float32) {
	checkLen("Add.Forward", "y", y, size)
	checkLen("Add.Forward", "a", a, size)
	checkLen("Add.Forward", "b", b, size)
	k.size, k.y, k.a, k.b = size, y, a, b
	p.Run(sizeTasks(size), (*addForward)(k))
}

type addForward Add

func (k *addForward) Do(task, _ int) {
	lo, hi := sizeRange(task, k.size)
	y := k.y[lo:hi]
	stream := k.clamps && streamable(k.y, k.size/cacheLine, cacheLine) && &k.y[0] != &k.a[0] && &k.y[0] != &k.b[0]
	addClamp(y, k.a[lo:hi], k.b[lo:hi], k.lo, k.hi, stream)
	if stream {
		fence()
	}
	if !k.clamps {
		activate(k.act, y, y)
	}
}
