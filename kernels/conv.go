package kernels

// Epilogue is what happens to a convolution's output before it is stored: y = act(conv + bias + add).
type Epilogue struct {
	Bias []float32 // [OutC], nil for none
	Add  []float32 // shape of y, may be y itself; nil for none
	Act  Act       // ActNone or ActReLU
}

// Conv computes a convolution and its gradients. Dense and grouped convolutions are products of a gathered window and the
// weights, of which only the block at hand is ever written; depthwise ones and those of small groups have kernels of their
// own.
type Conv struct {
	s         ConvShape
	depthwise *depthwise // nil for the others
	grouped   *grouped   // likewise

	forward implicitProduct
	data    []implicitProduct // of the data gradient, one per phase of the stride
	weights weightProduct
	paired  *pairedWeights // nil if weights are not summed over pairs
	lined   *linedWeights  // nil if weights are not summed over lines
	jointly *jointProduct  // nil if there is no such backward pass
	bias    channelSum
	tiled   winogradForms

	parts      []blockedProduct // of the call in flight
	scratch    []float32        // of all workers
	workerSize int
	firstTask  int // that is multiplied now; those before it are done
	pack       packJob
	multiply   multiplyJob
	sum        sumJob
	add        addJob
}

// blockedProduct is a product whose weights are packed before blocks of it are multiplied.
type blockedProduct interface {
	packedSize() int // floats of packed weights, which setPacked provides
	setPacked(space []float32)
	packTasks() int
	packTask(task int, ws []float32)
	tasks() int
	multiply(task int, ws []float32)
	workerSize() int // scratch that a task of either kind needs
}

// The stages of a call, each a job of its own.
type (
	packJob     struct{ *Conv }
	multiplyJob struct{ *Conv }
	sumJob      struct{ *Conv }
	addJob      struct{ *Conv }
)

// NewConv returns a convolution of the given shape, or an error if there is none. Where it pays, it is computed in Winograd's
// form, whose rounding errors are larger than those of the plain sum: up to twice in the forward pass unless it is normalised,
// up to four times otherwise.
func NewConv(s ConvShape) (*Conv, error) {
	c, err := newDirectConv(s)
	if err == nil && c.depthwise == nil {
		c.tiled = c.winogradForms(minSmallChannels, minLargeChannels, minWinogradTiles)
		if c.grouped != nil && s.C/s.Groups <= maxDirectChannels && s.H*s.W <= maxDirectPixels {
			c.tiled.forward, c.tiled.weights = nil, nil
		}
		c.useQuarters(minQuarteredColumns, minQuarteredDepth)
		c.useJoint()
		if s.Precision == BF16 {
			c.usePairs()
		}
	}
	return c, err
}

// newDirectConv is NewConv with float32 products in their plain form.
func newDirectConv(s ConvShape) (*Conv, error) {
	if err := s.validate(); err != nil {
		return nil, err
	}
	c := &Conv{s: s, bias: channelSum{channels: s.OutC}}
	if s.Depthwise() {
		c.depthwise = newDepthwise(s)
		return c, nil
	}
	window := gather{
		h: s.H, w: s.W, pixel: s.C, channels: s.C / s.Groups, kh: s.KH, kw: s.KW,
		sh: s.SH, sw: s.SW, top: -s.PH, left: -s.PW, outH: s.OutH(), outW: s.OutW(),
	}
	c.forward = implicitProduct{
		gather: window, groups: s.Groups, cols: s.OutC / s.Groups,
		transposed: true, weightStride: window.depth(),
		dstPixel: s.OutC, phase: phase{h: s.OutH(), w: s.OutW(), sh: 1, sw: 1},
	}
	c.weights = weightProduct{gather: window, groups: s.Groups, rows: s.OutC / s.Groups}
	c.lined = newLinedWeights(window, s.OutC)
	for y := range min(s.SH, s.H) {
		for x := range min(s.SW, s.W) {
			c.data = append(c.data, dataPhase(s, y, x))
		}
	}
	c.grouped = newGrouped(s, c.forward, c.data[0])
	c.parts = make([]blockedProduct, 0, len(c.data))
	c.pack, c.multiply, c.sum, c.add = packJob{c}, multiplyJob{c}, sumJob{c}, addJob{c}
	return c, nil
}

// dataPhase returns the data gradient of the pixels (y + SH·i, x + SW·j). Pixel iy was read by output line
// (iy + PH - ky)/SH, so one phase sees every SH-th tap; in falling order of ky those lines rise one by one.
func dataPhase(s ConvShape, y, x int) implicitProduct {
	kh, lastY, top := phaseTaps(s.KH, s.SH, s.PH, y)
	kw, lastX, left := phaseTaps(s.KW, s.SW, s.PW, x)
	in := s.C / s.Groups
	p := implicitProduct{
		gather: gather{
			h: s.OutH(), w: s.OutW(), pixel: s.OutC, channels: s.OutC / s.Groups, kh: kh, kw: kw,
			sh: 1, sw: 1, top: top, left: left, outH: ceilDiv(s.H-y, s.SH), outW: ceilDiv(s.W-x, s.SW),
		},
		groups: s.Groups, cols: in, weightStride: s.KH * s.KW * in,
		dstPixel: s.C, phase: phase{h: s.H, w: s.W, y0: y, x0: x, sh: s.SH, sw: s.SW},
	}
	for i := range kh {
		for j := range kw {
			p.tapOffsets = append(p.tapOffsets, ((lastY-i*s.SH)*s.KW+lastX-j*s.SW)*in)
		}
	}
	return p
}

// phaseTaps returns how many of the taps see pixels of a phase, the last of them, and the output line it belongs to for
// the phase's first pixel.
func phaseTaps(kernel, stride, padding, phase int) (count, last, line int) {
	first := (phase + padding) % stride
	if first >= kernel {
		return 0, 0, 0
	}
	count = (kernel-first-1)/stride + 1
	last = first + (count-1)*stride
	return count, last, (phase + padding - last) / stride
}

// Workspace returns how many floats of scratch the calls for up to n samples on a pool of the given threads need. Fewer
// samples can need more, as the work is cut differently.
func (c *Conv) Workspace(n, threads int) int {
	size := 0
	for samples := 1; samples <= n; samples++ {
		size = max(size, c.workspace(samples, threads))
	}
	return size
}

func (c *Conv) workspace(n, threads int) int {
	c.bias.rows = n * c.s.OutH() * c.s.OutW()
	if c.depthwise != nil {
		return 2*cacheLine + c.bias.size() + c.depthwise.workspace(n, threads)
	}
	size, sums := 0, 2*cacheLine+c.bias.size()
	if c.grouped != nil {
		size = sums + c.grouped.workspace(n, threads)
	}
	if c.startForward(n); c.grouped == nil || c.tiled.forward.pays() {
		size = max(size, c.productSize(threads))
	}
	if c.startData(n); c.grouped == nil || c.tiled.data.pays() {
		size = max(size, c.productSize(threads))
	}
	c.weights.n = n
	switch {
	case c.tiled.weights.pays():
		size = max(size, sums+c.tiled.weights.workspace())
	case c.lined != nil:
		size = max(size, sums+c.lined.workspace(n, threads))
	case c.grouped == nil:
		size = max(size, sums+c.weights.sumSize()+threads*roundUp(c.weightTasks().workerSize(), cacheLine))
	}
	return size
}

// startForward begins a forward pass.
func (c *Conv) startForward(n int) {
	c.forward.n = n
	c.parts = c.parts[:0]
	if c.tiled.forward.pays() {
		c.parts = append(c.parts, c.tiled.forward)
		return
	}
	c.parts = append(c.parts, &c.forward)
}

// startData begins a data gradient.
func (c *Conv) startData(n int) {
	c.parts = c.parts[:0]
	for i := range c.data {
		c.data[i].n = n
		c.parts = append(c.parts, &c.data[i])
	}
	if c.tiled.data.pays() {
		c.parts[0] = c.tiled.data // of the only phase
	}
}

// productSize returns the workspace of the call in flight.
func (c *Conv) productSize(threads int) int {
	size, workerSize := 2*cacheLine, 0
	for _, p := range c.parts {
		size += roundUp(p.packedSize(), cacheLine)
		workerSize = max(workerSize, p.workerSize())
	}
	return size + threads*(roundUp(workerSize, cacheLine)+cacheLine)
}

// run packs the weights and multiplies, for the call in flight.
func (c *Conv) run(p *Pool, ws []float32) {
	space := newScratch(ws)
	packTasks, tasks := 0, 0
	c.workerSize = 0
	for _, part := range c.parts {
		part.setPacked(space.take(part.packedSize()))
		packTasks += part.packTasks()
		tasks += part.tasks()
		c.workerSize = max(c.workerSize, roundUp(part.workerSize(), cacheLine)+cacheLine)
	}
	c.scratch = space.rest
	if packTasks > 0 {
		p.Run(packTasks, &c.pack)
	}
	if c.forward.summed.sums != nil {
		c.multiplySummed(p)
		return
	}
	p.Run(tasks, &c.multiply)
}

func (j *packJob) Do(task, worker int) {
	ws := j.scratch[worker*j.workerSize:][:j.workerSize]
	for _, part := range j.parts {
		if n := part.packTasks(); task >= n {
			task -= n
			continue
		}
		part.packTask(task, ws)
		return
	}
}

func (j *multiplyJob) Do(task, worker int) {
	task += j.firstTask
	ws := j.scratch[worker*j.workerSize:][:j.workerSize]
	for _, part := range j.parts {
		if n := part.tasks(); task >= n {
			task -= n
			continue
		}
		part.multiply(task, ws)
		return
	}
}

// Forward computes y = act(conv(x, w) + bias + add).
func (c *Conv) Forward(p *Pool, n int, y, x, w []float32, e Epilogue, ws []float32) {
	c.check(n, y, x, w)
	if e.Add != nil {
		checkLen("Conv", "add", e.Add, n*c.outputSize())
	}
	if e.Bias != nil {
		checkLen("Conv", "bias", e.Bias, c.s.OutC)
	}
	if e.Act != ActNone && e.Act != ActReLU {
		panic("kernels: Conv: no epilogue computes " + e.Act.String())
	}
	raceRead(x)
	raceRead(w)
	raceRead(e.Add)
	raceWrite(y[:n*c.outputSize()])
	if c.depthwise != nil {
		c.depthwise.forward(p, n, y, x, w, e, ws)
		return
	}
	c.startForward(n)
	if c.grouped != nil && !c.tiled.forward.pays() {
		c.grouped.forward(p, n, y, x, w, e, ws)
		return
	}
	f := &c.forward
	f.src, f.weights, f.dst, f.add, f.bias, f.relu = x, w, y, e.Add, e.Bias, e.Act == ActReLU
	c.run(p, ws)
}

// BackwardData computes dx = convᵀ(dy, w) + add. Add has the shape of x and may be dx itself; nil for none.
func (c *Conv) BackwardData(p *Pool, n int, dx, dy, w, add, ws []float32) {
	c.check(n, dy, dx, w)
	if add != nil {
		checkLen("Conv", "add", add, n*c.inputSize())
	}
	raceRead(dy)
	raceRead(w)
	raceRead(add)
	raceWrite(dx[:n*c.inputSize()])
	if c.depthwise != nil {
		c.depthwise.backwardData(p, n, dx, dy, w, add, ws)
		return
	}
	c.startData(n)
	if c.grouped != nil && !c.tiled.data.pays() {
		c.grouped.backwardData(p, n, dx, dy, w, add, ws)
		return
	}
	for i := range c.data {
		part := &c.data[i]
		part.src, part.weights, part.dst, part.add = dy, w, dx, add
	}
	c.run(p, ws)
}

// BackwardWeights computes the gradients of the weights and of the bias (db may be nil), or adds them to dw and db.
func (c *Conv) BackwardWeights(p *Pool, n int, dw, db, dy, x []float32, accumulate bool, ws []float32) {
	c.check(n, dy, x, dw)
	if db != nil {
		checkLen("Conv", "db", db, c.s.OutC)
	}
	raceRead(dy)
	raceRead(x)
	raceWrite(dw[:c.s.Weights()])
	space := newScratch(ws)
	if db != nil {
		c.bias.rows, c.bias.dy = n*c.s.OutH()*c.s.OutW(), dy
		c.bias.sums = space.take(c.bias.size())
		p.Run(c.bias.tasks(), &c.bias)
		c.bias.finish(db, accumulate)
	}
	if c.depthwise != nil {
		c.depthwise.backwardWeights(p, n, dw, dy, x, accumulate, space.rest)
		return
	}
	g := &c.weights
	g.n, g.src, g.dy, g.dw, g.keep = n, x, dy, dw, accumulate
	if c.tiled.weights.pays() {
		c.tiled.weights.run(p, space.rest)
		return
	}
	if c.lined != nil {
		c.lined.run(p, n, dw, dy, x, accumulate, space.rest)
		return
	}
	if c.grouped != nil {
		c.grouped.backwardWeights(p, n, dw, dy, x, accumulate, space.rest)
		return
	}
	g.sums = space.take(g.sumSize())
	c.scratch, c.workerSize = space.rest, roundUp(c.weightTasks().workerSize(), cacheLine)
	p.Run(g.tasks(), &c.sum)
	if tasks := g.addTasks(g.splits()); tasks > 0 {
		p.Run(tasks, &c.add)
	}
}

func (j *sumJob) Do(task, worker int) {
	j.weightTasks().multiply(task, j.scratch[worker*j.workerSize:][:j.workerSize])
}

func (j *addJob) Do(task, _ int) { j.weights.addTask(task, j.weights.splits()) }

func (c *Conv) inputSize() int { return c.s.H * c.s.W * c.s.C }

func (c *Conv) outputSize() int { return c.s.OutH() * c.s.OutW() * c.s.OutC }

func (c *Conv) check(n int, y, x, w []float32) {
	checkLen("Conv", "output", y, n*c.outputSize())
	checkLen("Conv", "input", x, n*c.inputSize())
	checkLen("Conv", "weights", w, c.s.Weights())
}
