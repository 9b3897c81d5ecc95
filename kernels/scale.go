package kernels

// Scale multiplies by a constant. It is its own gradient.
type Scale struct {
	s         float32
	size      int
	y, x, add []float32
}

// NewScale returns the kernel of s·x.
func NewScale(s float32) *Scale { return &Scale{s: s} }

// Forward computes, for every i below size,
//
//	y[i] = s * x[i] (+ add[i])
//
// A nil add is absent. y may be x or add.
func (k *Scale) Forward(p *Pool, size int, y, x, add []float32) {
	checkLen("Scale.Forward", "y", y, size)
	checkLen("Scale.Forward", "x", x, size)
	if add != nil {
		checkLen("Scale.Forward", "add", add, size)
	}
	k.size, k.y, k.x, k.add = size, y, x, add
	p.Run(sizeTasks(size), (*scaleForward)(k))
}

type scaleForward Scale

func (k *scaleForward) Do(task, _ int) {
	lo, hi := sizeRange(task, k.size)
	if k.add == nil {
		scale(k.y[lo:hi], k.x[lo:hi], k.s)
		return
	}
	addScaled(k.y[lo:hi], k.add[lo:hi], k.x[lo:hi], k.s)
}
