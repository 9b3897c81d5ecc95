package train

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/reidbench/reidbench/kernels/conv"
	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/models/graph"
)

// TestSamplesReachEveryForm: what no sample reaches, the tests of programs say nothing about.
func TestSamplesReachEveryForm(t *testing.T) {
	missing := missingUntilReached(
		"forward product", "data product", "weights product",
		"forward lines", "weights lines", // data gradients of lines are those of an image, which nobody needs
		"forward strassen", "data strassen", // sums of weights over pixels are never in that form
		"forward grouped", "data grouped", "weights grouped",
		"forward depthwise", "data depthwise", "weights depthwise",
		"forward winograd 3×3", "data winograd 3×3", "weights winograd 3×3",
		"forward winograd 5×5", "data winograd 5×5", "weights winograd 5×5",
		"forward winograd 1×7", "data winograd 1×7", "weights winograd 1×7",
		"forward winograd 7×1", "data winograd 7×1", "weights winograd 7×1",
	)
	const pastCaches = "results past the caches"
	if isa.Active() != isa.Generic {
		missing[pastCaches] = true
	}
	for _, s := range samples {
		g := s.graph(t)
		beforeNorm := g.BeforeNorm()
		for _, n := range g.Nodes {
			if mem.PastCaches(sampleBatch * n.Shape.Size()) {
				delete(missing, pastCaches)
			}
			shape, ok := ConvShape(n)
			if !ok {
				continue
			}
			shape.BeforeNorm = beforeNorm[n.ID]
			layer, err := conv.New(shape)
			if err != nil {
				t.Fatal(err)
			}
			forms := layer.Forms(sampleBatch)
			for pass, form := range map[string]conv.Form{
				"forward": forms.Forward, "data": forms.Data, "weights": forms.Weights,
			} {
				reached := fmt.Sprintf("%s %s", pass, form)
				if form == conv.FormWinograd {
					reached += fmt.Sprintf(" %d×%d", shape.KH, shape.KW)
				}
				delete(missing, reached)
			}
		}
	}
	missing.check(t)
}

// missing is what no sample has reached yet.
type missing map[string]bool

func missingUntilReached(what ...string) missing {
	m := missing{}
	for _, w := range what {
		m[w] = true
	}
	return m
}

func (m missing) check(t *testing.T) {
	t.Helper()
	if len(m) > 0 {
		t.Errorf("no sample reaches %q", slices.Sorted(maps.Keys(m)))
	}
}

// TestSamplesReachEveryFusion looks for the fusions with batch norms in the steps that the samples are compiled to.
func TestSamplesReachEveryFusion(t *testing.T) {
	const (
		jointProduct   = "backward pass of a 1×1 convolution in one step"
		jointDepthwise = "backward pass of a depthwise convolution in one step"
		depthwiseReads = "depthwise convolution that reads through a batch norm"
		groupedReads   = "grouped convolution that reads through a batch norm"
		gateSettled    = "gate whose gradient a batch norm leaves to the convolution before"
	)
	missing := missingUntilReached(jointProduct, jointDepthwise, depthwiseReads, gateSettled)
	if isa.Active() == isa.AVX512 { // the only one with such a kernel
		missing[groupedReads] = true
	}
	for _, s := range samples {
		p, _ := sampleProgram(t, s, 1, Options{Stage: Everything, Activations: Kept})
		steps := map[label]bool{}
		for _, step := range slices.Concat(p.forward, p.backward) {
			steps[step.label] = true
		}
		joint := func(n *graph.Node) bool { return steps[label{n, BothGradients}] }
		uses := p.graph.Uses()
		for _, n := range p.graph.Nodes {
			switch op := n.Op.(type) {
			case graph.Conv:
				switch {
				case !joint(n):
				case op.Kernel == graph.Square(1):
					delete(missing, jointProduct)
				default:
					delete(missing, jointDepthwise)
				}
			case graph.BatchNorm:
				last := n
				if next := uses[n.ID][0]; isAct(next) {
					last = next
				}
				for _, reader := range uses[last.ID] {
					switch op := reader.Op.(type) {
					case graph.Conv:
						switch {
						case steps[label{n, Forward}]:
						case op.Groups == reader.Shape.C:
							delete(missing, depthwiseReads)
						default:
							delete(missing, groupedReads)
						}
					case graph.Mul:
						if joint(n.Inputs[0]) {
							delete(missing, gateSettled)
						}
					}
				}
			}
		}
	}
	missing.check(t)
}

func isAct(n *graph.Node) bool {
	_, ok := n.Op.(graph.Act)
	return ok
}
