package focus

import (
	"fmt"
	"math"
	"slices"

	"github.com/reidbench/reidbench/models/graph"
)

// A flow says for each token of a layer how much of it comes from each source: [tokens][sources]. Sources are the
// patches of the image, in rows, and last what comes from no patch, the class token. Each row sums to 1, but for tokens
// of zeros, whose rows are zeros.
type flow [][]float64

// planRollout goes over the network once, without outputs, for what a rollout needs.
func (f *Focus) planRollout() error {
	r := f.newRollout(func(n *graph.Node) []float32 {
		f.Needs = append(f.Needs, n)
		return nil
	})
	_, err := r.embedding()
	f.Height, f.Width = r.height, r.width
	return err
}

func (f *Focus) rollout(outputs Outputs) []float64 {
	row, err := f.newRollout(outputs).embedding()
	if err != nil {
		panic("focus: a network that was planned: " + err.Error()) // the plan has met all layers
	}
	return row[:f.Height*f.Width]
}

// embedding is the flow of the features, a single row, with the class token's share last.
func (r *rollout) embedding() ([]float64, error) {
	rows, err := r.of(r.graph.Features)
	if err != nil {
		return nil, err
	}
	if len(rows) != 1 {
		return nil, fmt.Errorf("its features are those of %d tokens", len(rows))
	}
	return rows[0], nil
}

// A rollout is one of one image. It goes back from the features, so that nothing is asked of what they don't depend on.
type rollout struct {
	graph         *graph.Graph
	outputs       Outputs
	flows         map[*graph.Node]flow
	height, width int // patches
}

func (f *Focus) newRollout(outputs Outputs) *rollout {
	return &rollout{graph: f.graph, outputs: outputs, flows: map[*graph.Node]flow{}}
}

// of is the flow of a layer.
func (r *rollout) of(n *graph.Node) (flow, error) {
	if known, ok := r.flows[n]; ok {
		return known, nil
	}
	made, err := r.make(n)
	r.flows[n] = made
	return made, err
}

func (r *rollout) make(n *graph.Node) (flow, error) {
	if len(n.Inputs) == 0 {
		return nil, fmt.Errorf("layer %q: no rule for %v", n.Name, n.Op)
	}
	in := n.Inputs[0].Shape
	switch op := n.Op.(type) {
	case graph.Reshape:
		if in.H > 1 && in.W > 1 && n.Shape.H == 1 && n.Shape.W == in.Positions() {
			return r.patches(in.H, in.W), nil
		}
		// Else the sequence of each patch becomes the patch's token: see Windows.
		if n.Shape.H != 1 || n.Shape.W != in.H {
			return nil, fmt.Errorf("layer %q: no rule for a %v of %v to %v", n.Name, op, in, n.Shape)
		}
		return r.of(n.Inputs[0])
	case graph.Windows: // a patch each, whose pixels have its one row from here on
		return r.patches(in.H/op.Size.H, in.W/op.Size.W), nil
	case graph.Linear, graph.LayerNorm, graph.BatchNorm, graph.ChannelScale, graph.Position, graph.Act, graph.Scale,
		graph.Dropout, graph.DropPath:
		return r.of(n.Inputs[0])
	case graph.Add:
		return r.mean(n.Inputs)
	case graph.ClassToken:
		return r.before(n.Inputs[0], 1)
	case graph.PadToken:
		return r.before(n.Inputs[0], 0)
	case graph.Token:
		rows, err := r.of(n.Inputs[0])
		if err != nil {
			return nil, err
		}
		return rows[op.Index : op.Index+1], nil
	case graph.AdaptiveAvgPool: // of tokens, to a vector
		rows, err := r.of(n.Inputs[0])
		if err != nil {
			return nil, err
		}
		share := slices.Repeat([]float64{1 / float64(len(rows))}, len(rows))
		return weigh([][]float64{share}, rows), nil
	case graph.Attention:
		return r.attend(n, op)
	case graph.MatMul:
		return r.product(n, op)
	}
	return nil, fmt.Errorf("layer %q: no rule for %v", n.Name, n.Op)
}

// patches are the tokens that the image is cut into: each comes from its own place alone.
func (r *rollout) patches(height, width int) flow {
	r.height, r.width = height, width
	rows := make(flow, height*width)
	for i := range rows {
		rows[i] = make([]float64, len(rows)+1)
		rows[i][i] = 1
	}
	return rows
}

// before puts a token before those of a layer, with that much of it from no patch.
func (r *rollout) before(in *graph.Node, share float64) (flow, error) {
	rows, err := r.of(in)
	if err != nil {
		return nil, err
	}
	token := make([]float64, len(rows[0]))
	token[len(token)-1] = share
	return append(flow{token}, rows...), nil
}

// mean is the flow of a sum: half of a residual comes from each side (§3, A = 0.5·W + 0.5·I). A side that adds nothing
// to a token has no part in it.
func (r *rollout) mean(terms []*graph.Node) (flow, error) {
	var sum flow
	for i, term := range terms {
		rows, err := r.of(term)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			sum = make(flow, len(rows))
		}
		if len(rows) != len(sum) {
			return nil, fmt.Errorf("layer %q has %d tokens, and what it is added to %d", term.Name, len(rows), len(sum))
		}
		for t, row := range rows {
			if sum[t] == nil {
				sum[t] = make([]float64, len(row))
			}
			for s, v := range row {
				sum[t][s] += v
			}
		}
	}
	for _, row := range sum {
		total := 0.0
		for _, v := range row {
			total += v
		}
		for s := range row {
			row[s] /= max(total, math.SmallestNonzeroFloat64)
		}
	}
	return sum, nil
}

// attend is the flow of attention: the values' by the mean of the heads' probabilities. What attends within a patch
// stays in the patch.
func (r *rollout) attend(n *graph.Node, op graph.Attention) (flow, error) {
	values := n.Inputs[len(n.Inputs)-1]
	rows, err := r.of(values)
	if err != nil || n.Shape.H > 1 {
		return rows, err
	}
	qk := r.outputs(n.Inputs[0])
	if qk == nil { // planning
		return rows, nil
	}
	return weigh(probabilities(qk, n.Inputs[0].Shape.C, n.Shape, op.Heads), rows), nil
}

// probabilities are softmax(q·kᵀ/√d), the mean over heads, of one sequence [tokens, stride], of whose channels the
// first are q and the next k, as many as the shape has each.
func probabilities(qk []float32, stride int, shape graph.Shape, heads int) [][]float64 {
	tokens, width := shape.W, shape.C/heads
	scale := 1 / math.Sqrt(float64(width))
	mean, row := make([][]float64, tokens), make([]float64, tokens)
	for i := range mean {
		mean[i] = make([]float64, tokens)
		for h := range heads {
			q := qk[i*stride+h*width:][:width]
			most := math.Inf(-1)
			for j := range row {
				k := qk[j*stride+shape.C+h*width:][:width]
				dot := 0.0
				for c, v := range q {
					dot += float64(v) * float64(k[c])
				}
				row[j] = dot * scale
				most = max(most, row[j])
			}
			total := 0.0
			for j, v := range row {
				row[j] = math.Exp(v - most)
				total += row[j]
			}
			for j, v := range row {
				mean[i][j] += v / total / float64(heads)
			}
		}
	}
	return mean
}

// product is the flow of shares, the output of a softmax, times tokens.
func (r *rollout) product(n *graph.Node, op graph.MatMul) (flow, error) {
	of := n.Inputs[0]
	softmax, ok := of.Op.(graph.Softmax)
	if !ok || softmax.OverTokens != op.TransposeA || op.TransposeB || op.Factor() != 1 || n.Shape.H != 1 {
		return nil, fmt.Errorf("layer %q: no rule for a product whose factor holds no shares", n.Name)
	}
	rows, err := r.of(n.Inputs[1])
	if err != nil {
		return nil, err
	}
	values, s := r.outputs(of), of.Shape
	if values == nil { // planning
		return slices.Repeat(rows[:1], n.Shape.W), nil
	}
	shares := make([][]float64, n.Shape.W)
	for i := range shares {
		shares[i] = make([]float64, len(rows))
		for j := range rows {
			if op.TransposeA {
				shares[i][j] = float64(values[j*s.C+i])
			} else {
				shares[i][j] = float64(values[i*s.C+j])
			}
		}
	}
	return weigh(shares, rows), nil
}

// weigh is shares·rows.
func weigh(shares [][]float64, rows flow) flow {
	made := make(flow, len(shares))
	for i, share := range shares {
		made[i] = make([]float64, len(rows[0]))
		for t, part := range share {
			for s, v := range rows[t] {
				made[i][s] += part * v
			}
		}
	}
	return made
}
