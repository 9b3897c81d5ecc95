package measure

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/flops"
	"github.com/reidbench/reidbench/models/graph"
)

// A ProfileRow is where some of a step's time goes.
type ProfileRow struct {
	Layer  string // "" in a row for all layers of one operation
	Op     string
	Phase  train.Phase
	Time   time.Duration // of one step
	Share  float64       // of the step
	GFLOPS float64       // 2 per multiply-add; 0 where the phase has none
}

// A Profile is one step's time by operation and by layer, both the longest first.
type Profile struct{ Ops, Layers []ProfileRow }

// profileSteps is over how many steps a profile is averaged.
const profileSteps = 3

// passes is how often a phase does the multiply-adds of a forward pass. Phases that are
// not here, such as the gradient of a fused activation, do none.
var passes = map[train.Phase]float64{
	train.Forward:        1,
	train.DataGradient:   1,
	train.WeightGradient: 1,
	train.BothGradients:  2,
	train.FirstGradient:  1,
	train.SecondGradient: 1,
	train.Gradient:       2, // attention's, by both operands of its two products
}

// profiled runs a program's steps with a stopwatch around each kernel call.
func profiled(p *train.Program, step func(), batch int, cost flops.Report) *Profile {
	spent := p.StartProfile()
	for range profileSteps {
		step()
	}
	macs := map[*graph.Node]int64{}
	for _, c := range cost.Costs {
		macs[c.Node] = c.MACs() + c.MatMulMACs
	}
	var total time.Duration
	profile, ops, work := &Profile{}, map[ProfileRow]time.Duration{}, map[ProfileRow]float64{}
	for _, s := range spent.Steps() {
		took := s.Time / profileSteps
		total += took
		flop := 2 * float64(macs[s.Node]) * float64(batch) * passes[s.Phase]
		key := ProfileRow{Op: s.Node.Op.String(), Phase: s.Phase}
		ops[key] += took
		work[key] += flop
		row := key
		row.Layer, row.Time, row.GFLOPS = s.Node.Name, took, gflops(flop, took)
		profile.Layers = append(profile.Layers, row)
	}
	for key, took := range maps.All(ops) {
		key.Time, key.GFLOPS = took, gflops(work[key], took)
		profile.Ops = append(profile.Ops, key)
	}
	slices.SortFunc(profile.Ops, func(a, b ProfileRow) int {
		return cmp.Or(cmp.Compare(b.Time, a.Time), cmp.Compare(a.Op, b.Op), cmp.Compare(a.Phase, b.Phase))
	})
	for _, rows := range [][]ProfileRow{profile.Ops, profile.Layers} {
		for i := range rows {
			rows[i].Share = rows[i].Time.Seconds() / total.Seconds()
		}
	}
	return profile
}

func gflops(flop float64, took time.Duration) float64 {
	if took == 0 {
		return 0
	}
	return flop / took.Seconds() / 1e9
}
