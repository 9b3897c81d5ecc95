package kernels

// Activation applies an activation function to every element.
type Activation struct {
	act  Act
	size int

	y, dx, dy, x []float32
}

// NewActivation returns the kernel of act.
func NewActivation(act Act) *Activation { return &Activation{act: act} }

// Forward computes, for every i below size,
//
//	y[i] = act(x[i])
//
// y may be x.
func (a *Activation) Forward(p *Pool, size int, y, x []float32) {
	checkLen("Activation.Forward", "y", y, size)
	checkLen("Activation.Forward", "x", x, size)
	a.size, a.y, a.x = size, y, x
	p.Run(sizeTasks(size), (*activationForward)(a))
}

// Backward computes, for every i below size,
//
//	dx[i] = dy[i] * act'(x[i])
//
// where x is what Forward was given. dx may be dy or x.
func (a *Activation) Backward(p *Pool, size int, dx, dy, x []float32) {
	checkLen("Activation.Backward", "dx", dx, size)
	checkLen("Activation.Backward", "dy", dy, size)
	checkLen("Activation.Backward", "x", x, size)
	a.size, a.dx, a.dy, a.x = size, dx, dy, x
	p.Run(sizeTasks(size), (*activationBackward)(a))
}

type activationForward Activation

func (a *activationForward) Do(task, _ int) {
	lo, hi := sizeRange(task, a.size)
	activate(a.act, a.y[lo:hi], a.x[lo:hi])
}

type activationBackward Activation

func (a *activationBackward) Do(task, _ int) {
	lo, hi := sizeRange(task, a.size)
	activateBackward(a.act, a.dx[lo:hi], a.dy[lo:hi], a.x[lo:hi])
}
