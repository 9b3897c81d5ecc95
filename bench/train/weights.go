package train

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"

	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/models/graph"
)

// Weights holds every parameter and running statistic of one network.
//
// Programs compiled for the same weights share them. Names, shapes and the order of elements at this interface are
// those of published checkpoints (PyTorch's); inside, a convolution's weight is stored as [O, KH, KW, I], or [KH, KW,
// C] if it is depthwise, which is what the kernels read.
type Weights struct {
	graph      *graph.Graph
	parameters []float32 // the slab that holds the graph's Params
	running    []float32 // the slab that holds its Buffers, the running statistics
	place      map[string]placed
	version    uint64 // grows with every change: programs for inference compute constants of the weights
	outline    bool   // for planning: tensors overlap, so that there is room for the largest only
}

type placed struct {
	param  *graph.Param
	values []float32 // the tensor's stretch of its slab
	start  int       // where that starts
}

// of returns the tensor's stretch of a slab that is laid out like its own.
func (p placed) of(slab []float32) []float32 { return slab[p.start : p.start+len(p.values)] }

// NewWeights allocates the weights of g and draws initial values. Each tensor has a random stream of its own, derived
// from the seed and its name.
func NewWeights(g *graph.Graph, seed uint64) *Weights {
	w := allocate(g)
	for name, place := range w.place {
		h := fnv.New64a()
		h.Write([]byte(name))
		initialise(place.values, place.param, rand.New(rand.NewPCG(seed, h.Sum64())))
	}
	return w
}

// allocate makes weights that are all zero.
func allocate(g *graph.Graph) *Weights {
	w := &Weights{graph: g, place: map[string]placed{}, version: 1}
	w.parameters = w.layOut(g.Params)
	w.running = w.layOut(g.Buffers)
	return w
}

// outline makes weights that a program can be compiled for, to know its memory, but not run with.
func outline(g *graph.Graph) *Weights {
	w := &Weights{graph: g, place: map[string]placed{}, outline: true}
	w.parameters = w.layOut(g.Params)
	w.running = w.layOut(g.Buffers)
	return w
}

// wholeLines rounds a number of floats up to whole cache lines: tensors and buffers begin at one.
func wholeLines(floats int) int { return mem.RoundUp(floats, mem.Line) }

// slabFloats is how much of a slab params take.
func slabFloats(params []*graph.Param) int {
	n := 0
	for _, p := range params {
		n += wholeLines(p.Size())
	}
	return n
}

func (w *Weights) layOut(params []*graph.Param) []float32 {
	size := slabFloats(params)
	if w.outline {
		size = 0
		for _, p := range params {
			size = max(size, wholeLines(p.Size()))
		}
	}
	slab, start := mem.Allocate(size), 0
	for _, p := range params {
		w.place[p.Name] = placed{p, slab[start : start+p.Size() : start+p.Size()], start}
		if !w.outline {
			start += wholeLines(p.Size())
		}
	}
	return slab
}

func initialise(values []float32, p *graph.Param, r *rand.Rand) {
	switch kind, value := p.Init.Kind, p.Init.Value; kind {
	case graph.Constant:
		fill(values, func() float64 { return value })
	case graph.KaimingNormal:
		fanOut := p.Size() / p.Shape[1]
		deviation := math.Sqrt(2 / float64(fanOut))
		fill(values, func() float64 { return r.NormFloat64() * deviation })
	case graph.FanInUniform:
		bound := 1 / math.Sqrt(float64(p.FanIn()))
		fill(values, func() float64 { return (2*r.Float64() - 1) * bound })
	case graph.Normal:
		fill(values, func() float64 { return r.NormFloat64() * value })
	case graph.TruncatedNormal:
		fill(values, func() float64 {
			for {
				if v := r.NormFloat64() * value; math.Abs(v) <= 2 {
					return v
				}
			}
		})
	default:
		panic(fmt.Sprintf("train: parameter %s has unknown initialisation %d", p.Name, kind))
	}
}

func fill(values []float32, next func() float64) {
	for i := range values {
		values[i] = float32(next())
	}
}

// Names lists the parameters and then the running statistics, in the graph's order.
func (w *Weights) Names() []string {
	names := make([]string, 0, len(w.graph.Params)+len(w.graph.Buffers))
	for _, p := range w.graph.Params {
		names = append(names, p.Name)
	}
	for _, p := range w.graph.Buffers {
		names = append(names, p.Name)
	}
	return names
}

// Shape returns the published shape of a tensor, nil if there is none of that name.
func (w *Weights) Shape(name string) []int {
	if place, ok := w.place[name]; ok {
		return place.param.Shape
	}
	return nil
}

// Get returns a copy of a tensor in the published order of elements.
func (w *Weights) Get(name string) []float32 {
	place := w.mustPlace(name)
	return published(place.param, place.values)
}

// Set replaces a tensor by values in the published order of elements.
func (w *Weights) Set(name string, values []float32) error {
	place, ok := w.place[name]
	if !ok {
		return fmt.Errorf("the network has no tensor %q", name)
	}
	if len(values) != len(place.values) {
		return fmt.Errorf("tensor %q has %d elements, not %d", name, len(place.values), len(values))
	}
	fromPublished(place.param, place.values, values)
	w.changed()
	return nil
}

// changed has programs for inference compute their constants anew before the next run.
func (w *Weights) changed() { w.version++ }

// Copy returns independent weights with the same values.
func (w *Weights) Copy() *Weights {
	c := allocate(w.graph)
	copy(c.parameters, w.parameters)
	copy(c.running, w.running)
	return c
}

func (w *Weights) mustPlace(name string) placed {
	place, ok := w.place[name]
	if !ok {
		panic(fmt.Sprintf("train: no tensor %q", name))
	}
	return place
}

// of returns a parameter's values as the kernels read them.
func (w *Weights) of(p *graph.Param) []float32 { return w.mustPlace(p.Name).values }

// published returns stored values in the published order.
func published(p *graph.Param, stored []float32) []float32 {
	out := make([]float32, len(stored))
	outer, channels, pixels := order(p)
	for o := range outer {
		from, to := stored[o*channels*pixels:], out[o*channels*pixels:]
		for c := range channels {
			for i := range pixels {
				to[c*pixels+i] = from[i*channels+c]
			}
		}
	}
	return out
}

// fromPublished is the inverse of published.
func fromPublished(p *graph.Param, stored, values []float32) {
	outer, channels, pixels := order(p)
	for o := range outer {
		from, to := values[o*channels*pixels:], stored[o*channels*pixels:]
		for i := range pixels {
			for c := range channels {
				to[i*channels+c] = from[c*pixels+i]
			}
		}
	}
}

// order says how the published order of a tensor's elements, [outer, channels, pixels], differs from that in memory,
// [outer, pixels, channels]. A convolution's [O, I, KH, KW] is kept as [O, KH, KW, I], a depthwise [C, 1, KH, KW] as
// [KH, KW, C], and the embedding [1, C, H, W] of pixels that have become tokens as [H, W, C]; all else is kept as
// published.
func order(p *graph.Param) (outer, channels, pixels int) {
	switch p.Owner.Op.(type) {
	case graph.Conv:
		if p.Role != graph.Weight {
			break
		}
		outer, channels, pixels = p.Shape[0], p.Shape[1], p.Shape[2]*p.Shape[3]
		if s, _ := ConvShape(p.Owner); s.Depthwise() {
			return 1, outer, pixels
		}
		return outer, channels, pixels
	case graph.Position:
		if len(p.Shape) == 4 {
			return 1, p.Shape[1], p.Shape[2] * p.Shape[3]
		}
	}
	return 1, 1, p.Size()
}
