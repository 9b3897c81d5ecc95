package train

import (
	"fmt"
	"iter"
	"slices"

	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/models/graph"
)

// A fusion is a rule by which a layer does a part of another one's work, because it has the data at hand. Rules change
// the list of layers or fill in plans; what layers emit follows from their plans alone. apply returns how often the
// rule held.
type fusion struct {
	name  string
	apply func(*compiler) int
}

// fusions are all rules, in their order: later ones build on what earlier ones have planned.
var fusions = []fusion{
	{"fold", foldIntoWeights},
	{"residual", foldResiduals},
	{"activation", foldActivations},
	{"statistics", takeStatistics},
	{"sums", takeSums},
	{"parts", readParts},
	{"read through", readThrough},
	{"means", takeMeans},
	{"gate", deferGates},
	{"joint backward", joinBackward},
	{"micro-batches", useMicroBatches},
}

// Fusions lists the names of what the compiler fuses, see [Options] and [Program.Fused].
func Fusions() []string {
	names := make([]string, len(fusions))
	for i, f := range fusions {
		names[i] = f.name
	}
	return names
}

// fuse applies the rules that are not switched off, and returns how often each did.
func (c *compiler) fuse() (map[string]int, error) {
	for _, name := range c.opt.Unfused {
		if !slices.Contains(Fusions(), name) {
			return nil, fmt.Errorf("there is no fusion %q", name)
		}
	}
	fused := map[string]int{}
	for _, f := range fusions {
		if slices.Contains(c.opt.Unfused, f.name) {
			continue
		}
		if applied := f.apply(c); applied > 0 {
			fused[f.name] = applied
		}
	}
	return fused, nil
}

// convPlan says what a convolution does for the batch norms next to it; nil is nothing.
type convPlan struct {
	statistics *batchNormLayer // the one after it: take its statistics
	through    *batchNormLayer // the one before it: read its input, and normalise that on the way
	sums       *gradientSums   // of the one before it: take them
	joint      *batchNormLayer // the one after it: compute its input's gradient on the way
	folded     []*graph.Node   // that follow it, for inference: take them into the weights and the bias
}

// normPlan says what the layers next to a batch norm do for it, or leave to it; nil is nothing.
type normPlan struct {
	statistics  bool              // the convolution before it takes them
	readThrough bool              // the convolution after it normalises what it reads: the output is not written
	sums        *gradientSums     // the convolution after it takes them
	joint       bool              // the convolution before it computes the input's gradient
	means       *value            // the means of the output over all positions: make them, too
	gate        *value            // multiplies the output: multiply the gradient by it
	shift       *meanShift        // the gradient of the means: add it
	parts       []*partStatistics // the input lies in parts, with these statistics
}

// poolPlan says what the batch norm before it does for a mean over all positions; nil is nothing.
type poolPlan struct {
	means bool       // make the output
	shift *meanShift // add the gradient
}

// gatePlan says what the batch norm that made the first input does for a gate.
type gatePlan struct {
	gradient bool // multiply its own by the gate
}

// next returns the layer that alone reads the node of a layer's output, nil if there are others or the caller reads it.
// For inference, nodes that do nothing there, such as dropout, may lie between them.
func (c *compiler) next(l layer) layer {
	if c.opt.Stage == Inference {
		return l.output().soleReader()
	}
	n := l.output().node
	if len(c.uses[n.ID]) != 1 || n == c.graph.Features || n == c.graph.Compared {
		return nil
	}
	return c.values[c.uses[n.ID][0]].maker
}

// fold makes l do what the layers of the list that it replaces do, after its own work: into[next] takes the place of
// next.
func (c *compiler) fold(into map[layer]layer) int {
	folded := map[layer]bool{}
	for next, l := range into {
		folded[l] = true
		l.setOutput(next.output())
		l.output().maker = l
	}
	kept := c.layers[:0]
	for _, l := range c.layers {
		switch by := into[l]; {
		case by != nil:
			kept = append(kept, by)
		case !folded[l]:
			kept = append(kept, l)
		}
	}
	c.layers = kept
	c.findReaders()
	return len(into)
}

// foldResiduals lets convolutions and batch norms add the other term of a sum.
func foldResiduals(c *compiler) int {
	into := map[layer]layer{}
	for _, l := range c.layers {
		sum, ok := c.next(l).(*addLayer)
		if !ok || len(sum.in) != 2 || sum.in[0] == sum.in[1] || into[sum] != nil {
			continue
		}
		residual := sum.in[0]
		if residual == l.output() {
			residual = sum.in[1]
		}
		switch l := l.(type) {
		case *convLayer:
			l.residual, l.in = residual, append(l.in, residual)
		case *batchNormLayer:
			l.residual, l.in = residual, append(l.in, residual)
		default:
			continue
		}
		into[sum] = l
	}
	return c.fold(into)
}

// foldActivations lets batch norms apply an activation that follows, and convolutions and sums a ReLU. For inference,
// where nobody asks for what was there before, convolutions apply others, too.
func foldActivations(c *compiler) int {
	into := map[layer]layer{}
	for _, l := range c.layers {
		next, ok := c.next(l).(*actLayer)
		if !ok {
			continue
		}
		relu := next.act == act.ReLU
		switch of := l.(type) {
		case *batchNormLayer:
			of.activate(next.act)
			into[next] = l
		case *convLayer:
			if relu || c.opt.Stage == Inference && of.kernel.Applies(next.act) {
				of.act = next.act
				into[next] = l
			}
		case *addLayer:
			if relu {
				of.act = next.act
				into[next] = l
			}
		}
	}
	return c.fold(into)
}

// each visits the layers of one kind.
func each[L layer](c *compiler) iter.Seq[L] {
	return func(yield func(L) bool) {
		for _, l := range c.layers {
			if of, ok := l.(L); ok && !yield(of) {
				return
			}
		}
	}
}

// takeStatistics lets a convolution take the statistics of its output for a batch norm that reads it.
func takeStatistics(c *compiler) (applied int) {
	for norm := range each[*batchNormLayer](c) {
		conv, ok := norm.in[0].maker.(*convLayer)
		if !ok || norm.frozen || !conv.plain() || conv.plan.statistics != nil {
			continue
		}
		conv.plan.statistics, norm.plan.statistics = norm, true
		applied++
	}
	return applied
}

// takeSums lets a convolution take the sums of a batch norm's gradient while it makes that: it has to be the last
// that adds to it.
func takeSums(c *compiler) (applied int) {
	for conv := range each[*convLayer](c) {
		norm, ok := conv.in[0].maker.(*batchNormLayer)
		if !ok || !norm.out.needs || !conv.out.needs || !conv.endsGradient(norm) {
			continue
		}
		sums := &gradientSums{layer: norm, buffer: none}
		conv.plan.sums, norm.plan.sums = sums, sums
		applied++
	}
	return applied
}

// endsGradient reports whether the convolution is the last that adds to the gradient of a batch norm's output, and
// can take the sums of it then.
func (l *convLayer) endsGradient(norm *batchNormLayer) bool {
	return l.in[0] == norm.out && norm.out.readers[0] == l && l.residual != norm.out &&
		l.kernel.SumsGradient(norm.kernel, norm.residual != nil)
}

// readThrough lets a convolution that copies what it reads compute the batch norm before it on the way, which writes
// nothing then.
func readThrough(c *compiler) (applied int) {
	for norm := range each[*batchNormLayer](c) {
		conv, ok := norm.out.soleReader().(*convLayer)
		if !ok || norm.residual != nil || norm.plan.parts != nil || conv.residual == norm.out ||
			!conv.kernel.ReadsThrough(norm.kernel) {
			continue
		}
		conv.plan.through, norm.plan.readThrough = norm, true
		applied++
	}
	return applied
}

// takeMeans lets a batch norm make the means over all positions of its output. Tasks are whole samples then, too few of
// them where it is not for training.
func takeMeans(c *compiler) (applied int) {
	if c.opt.Stage == Inference {
		return 0
	}
	for norm := range each[*batchNormLayer](c) {
		if norm.residual != nil || !norm.kernel.TakesMeans() {
			continue
		}
		for _, reader := range norm.out.readers {
			if pool, ok := reader.(*avgPoolLayer); ok && pool.global {
				pool.plan.means, norm.plan.means = true, pool.out
				applied++
				break
			}
		}
	}
	return applied
}

// deferGates leaves the gradient of what a gate multiplies to the batch norm that made it: that reads it anyway, and
// can multiply it by the gate and add the gradient of a mean over all positions, which the gate is usually made of.
// Nothing else may read the batch norm's output.
func deferGates(c *compiler) (applied int) {
	for gate := range each[*gateLayer](c) {
		x := gate.in[0]
		norm, ok := x.maker.(*batchNormLayer)
		if !ok || norm.residual != nil || !x.needs || !gate.out.needs || x.readers[len(x.readers)-1] != gate {
			continue
		}
		switch others := x.readers[:len(x.readers)-1]; len(others) {
		case 0:
		case 1:
			pool, ok := others[0].(*avgPoolLayer)
			if !ok || !pool.global || !pool.out.needs {
				continue
			}
			shift := &meanShift{buffer: none}
			pool.plan.shift, norm.plan.shift = shift, shift
		default:
			continue
		}
		gate.plan.gradient, norm.plan.gate = true, gate.in[1]
		applied++
	}
	return applied
}

// joinBackward lets the convolution before a batch norm compute the gradient of its output where it reads it, for
// both of its own gradients at once: all that is missing in what the batch norm holds is the same for every row of a
// channel.
func joinBackward(c *compiler) (applied int) {
	for norm := range each[*batchNormLayer](c) {
		conv, ok := norm.in[0].maker.(*convLayer)
		onePass := norm.plan.sums != nil || norm.plan.gate != nil // over its gradient, for the sums or gate and sums
		if ok && onePass && norm.plan.parts == nil && norm.in[0].soleReader() == norm && conv.joins(c) {
			conv.plan.joint, norm.plan.joint = norm, true
			applied++
		}
	}
	return applied
}

// joins reports whether the convolution, alone in its layer and without bias, has to compute both gradients and can do
// so at once.
func (l *convLayer) joins(c *compiler) bool {
	return l.plain() && len(l.node.Params) == 1 && l.in[0].needs && l.trains(c) && l.kernel.JoinsBackward()
}
