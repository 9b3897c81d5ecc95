package kernels

// Product is the elementwise product of two tensors.
type Product struct {
	size                int
	y, a, b, da, db, dy []float32
}

// NewProduct returns the kernel.
func NewProduct() *Product { return &Product{} }

// Forward computes, for every i below size,
//
//	y[i] = a[i] * b[i]
//
// y may be a or b.
func (k *Product) Forward(p *Pool, size int, y, a, b []float32) {
	checkLen("Product.Forward", "y", y, size)
	checkLen("Product.Forward", "a", a, size)
	checkLen("Product.Forward", "b", b, size)
	k.size, k.y, k.a, k.b = size, y, a, b
	p.Run(sizeTasks(size), (*productForward)(k))
}

// Backward computes, for every i below size,
//
//	da[i] = dy[i] * b[i]
//	db[i] = dy[i] * a[i]
//
// db may be dy; da may be neither of the inputs.
func (k *Product) Backward(p *Pool, size int, da, db, dy, a, b []float32) {
	checkLen("Product.Backward", "da", da, size)
	checkLen("Product.Backward", "db", db, size)
	checkLen("Product.Backward", "dy", dy, size)
	checkLen("Product.Backward", "a", a, size)
	checkLen("Product.Backward", "b", b, size)
	k.size, k.da, k.db, k.dy, k.a, k.b = size, da, db, dy, a, b
	p.Run(sizeTasks(size), (*productBackward)(k))
}

type productForward Product

func (k *productForward) Do(task, _ int) {
	lo, hi := sizeRange(task, k.size)
	mul(k.y[lo:hi], k.a[lo:hi], k.b[lo:hi])
}

type productBackward Product

func (k *productBackward) Do(task, _ int) {
	lo, hi := sizeRange(task, k.size)
	mul(k.da[lo:hi], k.dy[lo:hi], k.b[lo:hi])
	mul(k.db[lo:hi], k.dy[lo:hi], k.a[lo:hi])
}

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

// Zero sets every element to 0.
func Zero(x []float32) { clear(x) }

// Fill sets every element to v.
func Fill(x []float32, v float32) {
	for i := range x {
		x[i] = v
	}
}
