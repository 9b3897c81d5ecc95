package train

import (
	"math"

	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/vec"
	"github.com/reidbench/reidbench/models/graph"
)

// Weights are kept packed for inference where packing them anew would take a good part of a run: for few images, in a
// micro-batch too, as packing takes as long as multiplying some rows, and where what is packed is not much larger than
// the weights, since it has to be read. Winograd's filters are up to four times as large, and more where panels are not
// full.
const (
	packedBatch  = 8
	packedGrowth = 6
)

// foldIntoWeights has inference fold what scales and shifts the channels of a convolution's output into its weights and
// bias: a batch norm with the statistics of earlier batches is
//
//	(w·x + b - mean)·scale + beta = (scale·w)·x + (b - mean)·scale + beta,   scale = gamma/√(var + eps)
//
// and a channel scale has the factors alone.
func foldIntoWeights(c *compiler) (applied int) {
	if c.opt.Stage != Inference {
		return 0
	}
	folds := c.graph.Folds()
	for depth := 0; ; depth++ {
		into := map[layer]layer{}
		for conv := range each[*convLayer](c) {
			if after := folds[conv.node]; depth < len(after) {
				conv.plan.folded = after[:depth+1]
				into[c.values[after[depth]].maker] = conv
			}
		}
		if len(into) == 0 {
			return applied
		}
		applied += c.fold(into)
	}
}

// convWeights are what a convolution multiplies by and adds: parameters, or constants in their place.
type convWeights struct {
	w, bias              []float32
	foldedW, foldedBias  buffer // none if nothing is folded
	weightsRow, channels int    // floats of one output channel, or 1 where the weights of a tap lie side by side
}

// open returns them for the next call of the kernel.
func (w *convWeights) open(f *frame) (weights, bias []float32) {
	if w.foldedW == none {
		return w.w, w.bias
	}
	return f.at(w.foldedW)[:len(w.w)], f.at(w.foldedBias)
}

// weights returns the layer's, and has inference compute and pack them once.
func (l *convLayer) weights(c *compiler) convWeights {
	shape, _ := ConvShape(l.node)
	of := convWeights{foldedW: none, foldedBias: none, weightsRow: shape.Weights() / shape.OutC, channels: shape.OutC}
	of.w, of.bias = l.parameters(c)
	if shape.Depthwise() {
		of.weightsRow = 1
	}
	kernel, batch := l.kernel, c.batch
	size := 0
	if c.opt.Stage == Inference && batch <= packedBatch {
		size = kernel.PackedSize(batch)
	}
	packs := size > 0 && size <= packedGrowth*len(of.w)
	if len(l.plan.folded) > 0 {
		of.foldedW, of.foldedBias = c.foldedWeights(len(of.w), packs), c.newConstant(shape.OutC)
		l.foldWeights(c, of)
	}
	if packs {
		packed := c.newConstant(size)
		c.constant(func(f *frame) {
			w, _ := of.open(f)
			kernel.Pack(f.pool, batch, w, f.at(packed), f.ws)
		})
	}
	return of
}

// foldedWeights returns a constant for a layer's folded weights. Where every run reads what has been packed of them,
// the next layer's take their place.
func (c *compiler) foldedWeights(floats int, packed bool) buffer {
	if !packed || c.opt.Batch > 1 {
		return c.newConstant(floats)
	}
	if c.folded == none {
		c.folded = c.newConstant(0)
	}
	s := &c.buffers[c.folded]
	s.fixed = max(s.fixed, floats)
	return c.folded
}

// A channelMap is what a layer does to the channels of its input: (x - mean)·gamma/√(variance + eps) + beta. A channel
// scale has nothing but gamma.
type channelMap struct {
	gamma, beta, mean, variance []float32
	eps                         float64
}

func (w *Weights) channelMap(n *graph.Node) channelMap {
	m := channelMap{gamma: w.of(n.Params[0])}
	if op, ok := n.Op.(graph.BatchNorm); ok {
		m.beta, m.eps = w.of(n.Params[1]), op.Eps
		m.mean, m.variance = w.of(n.Buffers[0]), w.of(n.Buffers[1])
	}
	return m
}

// of returns the map of one channel: x·scale + shift.
func (m *channelMap) of(channel int) (scale, shift float64) {
	scale = float64(m.gamma[channel])
	if m.beta == nil {
		return scale, 0
	}
	scale /= math.Sqrt(float64(m.variance[channel]) + m.eps)
	return scale, float64(m.beta[channel]) - float64(m.mean[channel])*scale
}

// A folding is what a convolution's or linear layer's output channels go through: its own bias, nil for none, and the
// maps after it.
type folding struct {
	bias []float32
	maps []channelMap
}

func (w *Weights) folding(n *graph.Node, after []*graph.Node) folding {
	var f folding
	if len(n.Params) > 1 {
		f.bias = w.of(n.Params[1])
	}
	for _, of := range after {
		f.maps = append(f.maps, w.channelMap(of))
	}
	return f
}

// of returns what a channel's weights are multiplied by, and its bias.
func (f *folding) of(channel int) (scale, bias float32) {
	product, sum := 1.0, 0.0
	if f.bias != nil {
		sum = float64(f.bias[channel])
	}
	for i := range f.maps {
		s, t := f.maps[i].of(channel)
		product, sum = product*s, sum*s+t
	}
	return float32(product), float32(sum)
}

// Folded returns the weight of a convolution or linear layer, in the published order of elements, and its bias, with
// the batch norms and channel scales after it folded into them as inference does: see [graph.Graph.Folds].
func (w *Weights) Folded(n *graph.Node, after []*graph.Node) (weight, bias []float32) {
	f := w.folding(n, after)
	weight, bias = w.Get(n.Params[0].Name), make([]float32, n.Shape.C)
	row := len(weight) / len(bias)
	for channel := range bias {
		var scale float32
		scale, bias[channel] = f.of(channel)
		for i := range row {
			weight[channel*row+i] *= scale
		}
	}
	return weight, bias
}

// foldWeights has the folded weights and bias computed.
func (l *convLayer) foldWeights(c *compiler, of convWeights) {
	folding := c.weights.folding(l.node, l.plan.folded)
	job := &scaleWeights{row: of.weightsRow, w: of.w, scale: make([]float32, of.channels)}
	c.constant(func(f *frame) {
		bias := f.at(of.foldedBias)
		for channel := range bias {
			job.scale[channel], bias[channel] = folding.of(channel)
		}
		job.scaled = f.at(of.foldedW)[:len(of.w)]
		f.pool.Run(job.tasks(), job)
	})
}

// scaleWeights multiplies the weights of every output channel by a factor: rows of weights or, where a row is 1, those
// of each tap.
type scaleWeights struct {
	row              int
	w, scaled, scale []float32
}

func (s *scaleWeights) perTask() int { return len(s.scale) * max(1, parallel.TaskFloats/len(s.scale)) }

func (s *scaleWeights) tasks() int {
	if s.row == 1 {
		return mem.CeilDiv(len(s.w), s.perTask())
	}
	return mem.CeilDiv(len(s.scale), parallel.RowsPerTask(s.row))
}

// Do scales some rows, or some taps.
func (s *scaleWeights) Do(task, _ int) {
	channels := len(s.scale)
	if s.row == 1 {
		for at := task * s.perTask(); at < min((task+1)*s.perTask(), len(s.w)); at += channels {
			vec.Mul(s.scaled[at:at+channels], s.w[at:at+channels], s.scale)
		}
		return
	}
	rows := parallel.RowsPerTask(s.row)
	for channel := task * rows; channel < min((task+1)*rows, channels); channel++ {
		at := channel * s.row
		vec.Scale(s.scaled[at:at+s.row], s.w[at:at+s.row], s.scale[channel])
	}
}
