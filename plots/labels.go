package plots

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/plot/vg"
)

// label is a name to be placed near its marker.
type label struct {
	text          string
	width, height vg.Length
	marker        disc
}

// placement is where a label went; leader connects the two where it had to move away.
type placement struct {
	box    vg.Rectangle
	leader *segment     // from the marker's edge to the box
	extent vg.Rectangle // of both
	cost   float64      // what the place is worth by itself, less being better
}

// Weights of what a placement should avoid. Overlaps outweigh everything: any place without one is better than any
// with one.
const (
	overlapCost        = 1e6 // two labels, or a label and another's leader
	leaderCrossingCost = 80  // two leaders
	markerCrossingCost = 40  // a leader over a marker
	frontOverlapCost   = 12  // a label over a Pareto front
	distanceCost       = 1   // per point from marker to label
	leaderCost         = 6
	leaderAfter        = vg.Length(4)
	foreignCost        = 6 // a label as near to a foreign marker as to its own
)

// gaps are the distances between marker and label that are tried.
var gaps = []vg.Length{1.5, 5, 9, 14, 20, 27, 35, 44, 54, 66, 80, 96, 115, 137, 162}

// placeLabels finds a place inside area for every label: not over a marker, not over another label or its leader, near
// its own marker, and preferably clear of the fronts. The search starts greedily with the labels that have the least
// room, moves one label at a time to its best place until nothing improves, and repeats that after small random
// displacements from a fixed seed. It returns the number of overlaps that are left.
func placeLabels(labels []label, fronts []segment, area vg.Rectangle) ([]placement, int) {
	s := search{candidates: make([][]placement, len(labels)), chosen: make([]int, len(labels))}
	markers := make([]disc, len(labels))
	for i, l := range labels {
		markers[i] = l.marker
	}
	overlaps := 0
	for i, l := range labels {
		s.candidates[i] = candidates(l, markers, fronts, area)
		if len(s.candidates[i]) == 0 { // no room at all: over its marker, so that it is at least drawn
			half := vg.Point{X: l.width / 2, Y: l.height / 2}
			box := vg.Rectangle{Min: l.marker.center.Sub(half), Max: l.marker.center.Add(half)}
			s.candidates[i] = []placement{{box: box, extent: box}}
			overlaps++
		}
		s.chosen[i] = -1
	}
	s.placeGreedily()
	s.improve()

	random := rand.New(rand.NewPCG(1, uint64(len(labels))))
	best, bestCost := slices.Clone(s.chosen), s.total()
	for range kicks {
		s.kick(random)
		s.improve()
		if cost := s.total(); cost < bestCost {
			best, bestCost = slices.Clone(s.chosen), cost
		} else {
			copy(s.chosen, best)
		}
	}
	placed := make([]placement, len(labels))
	for i, c := range best {
		placed[i] = s.candidates[i][c]
	}
	for i := range placed {
		for j := range i {
			if placed[i].conflict(&placed[j]) >= overlapCost {
				overlaps++
			}
		}
	}
	return placed, overlaps
}

// kicks is the number of random displacements that are tried.
const kicks = 1500

// candidates lists the places for one label that lie in the area and cover no marker, the cheapest first.
func candidates(l label, markers []disc, fronts []segment, area vg.Rectangle) []placement {
	const directions = 24
	var places []placement
	for _, gap := range gaps {
		for k := range directions {
			sin, cos := math.Sincos(2 * math.Pi * float64(k) / directions)
			reach := l.marker.radius + gap
			center := vg.Point{
				X: l.marker.center.X + vg.Length(cos)*(reach+l.width/2),
				Y: l.marker.center.Y + vg.Length(sin)*(reach+l.height/2),
			}
			half := vg.Point{X: l.width / 2, Y: l.height / 2}
			p := placement{box: vg.Rectangle{Min: center.Sub(half), Max: center.Add(half)}}
			if !within(p.box, area) || slices.ContainsFunc(markers, func(m disc) bool { return m.covers(p.box) }) {
				continue
			}
			p.judge(l, k*360/directions, markers, fronts)
			p.extent = p.box
			if p.leader != nil {
				p.extent = around(p.box, p.leader.box())
			}
			places = append(places, p)
		}
	}
	slices.SortStableFunc(places, func(p, q placement) int { return cmp.Compare(p.cost, q.cost) })
	return places
}

// judge sets the leader and the cost of a place in the given direction, in degrees.
func (p *placement) judge(l label, degrees int, markers []disc, fronts []segment) {
	end := nearest(p.box, l.marker.center)
	away := distance(end, l.marker.center) - l.marker.radius
	p.cost = distanceCost * float64(away)
	switch { // beside the marker reads best, then above and below, then aslant
	case degrees == 0:
	case degrees == 180:
		p.cost += 1
	case degrees%90 == 0:
		p.cost += 2
	default:
		p.cost += 3
	}
	for _, f := range fronts {
		if f.enters(p.box) {
			p.cost += frontOverlapCost
		}
	}
	if away > leaderAfter {
		toward := end.Sub(l.marker.center)
		start := l.marker.center.Add(toward.Scale(l.marker.radius / distance(end, l.marker.center)))
		p.leader = &segment{start, end}
		p.cost += leaderCost
	}
	for _, m := range markers {
		if m == l.marker {
			continue
		}
		if distance(nearest(p.box, m.center), m.center)-m.radius < away+2 {
			p.cost += foreignCost
		}
		if p.leader != nil && distance(p.leader.a, m.center) >= m.radius && p.leader.distanceTo(m.center) < m.radius+1 {
			p.cost += markerCrossingCost
		}
	}
}

// conflict is the cost of having both placements.
func (p *placement) conflict(q *placement) float64 {
	if !touch(p.extent, q.extent) {
		return 0
	}
	cost := 0.0
	if overlap(p.box, q.box) {
		cost += overlapCost
	}
	if p.leader != nil && p.leader.enters(q.box) {
		cost += overlapCost
	}
	if q.leader != nil && q.leader.enters(p.box) {
		cost += overlapCost
	}
	if p.leader != nil && q.leader != nil && p.leader.crosses(*q.leader) {
		cost += leaderCrossingCost
	}
	return cost
}

// search is the state of placeLabels: for each label its candidates and the chosen one, -1 before there is one.
type search struct {
	candidates [][]placement
	chosen     []int
}

// placeGreedily gives each label its best place beside those already placed, the ones with the fewest candidates first.
func (s *search) placeGreedily() {
	order := make([]int, len(s.chosen))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return len(s.candidates[i]) - len(s.candidates[j]) })
	for _, i := range order {
		s.chosen[i] = s.best(i)
	}
}

// improve moves single labels until none has a better place.
func (s *search) improve() {
	for range 50 { // equal costs end the loop earlier; the bound is for rounding
		moved := false
		for i := range s.chosen {
			if c := s.best(i); c != s.chosen[i] && s.cost(i, c, math.Inf(1)) < s.cost(i, s.chosen[i], math.Inf(1)) {
				s.chosen[i], moved = c, true
			}
		}
		if !moved {
			return
		}
	}
}

// kick displaces one label and those around it at random.
func (s *search) kick(random *rand.Rand) {
	i := random.IntN(len(s.chosen))
	s.chosen[i] = random.IntN(len(s.candidates[i]))
	box := s.candidates[i][s.chosen[i]].box
	for j := range s.chosen {
		if j != i && overlap(box, s.candidates[j][s.chosen[j]].box) {
			s.chosen[j] = random.IntN(len(s.candidates[j]))
		}
	}
}

// best is the cheapest candidate of label i beside the chosen ones of the others.
func (s *search) best(i int) int {
	best, bestCost := -1, math.Inf(1)
	for c := range s.candidates[i] {
		if s.candidates[i][c].cost >= bestCost {
			break // they are sorted
		}
		if cost := s.cost(i, c, bestCost); cost < bestCost {
			best, bestCost = c, cost
		}
	}
	return best
}

// cost is that of candidate c of label i by itself and against the chosen ones of the others; the sum ends early once
// it reaches enough.
func (s *search) cost(i, c int, enough float64) float64 {
	p := &s.candidates[i][c]
	cost := p.cost
	for j, d := range s.chosen {
		if cost >= enough {
			break
		}
		if j != i && d >= 0 {
			cost += p.conflict(&s.candidates[j][d])
		}
	}
	return cost
}

// total is the cost of all chosen candidates, each conflict counted once.
func (s *search) total() float64 {
	cost := 0.0
	for i, c := range s.chosen {
		p := &s.candidates[i][c]
		cost += p.cost
		for j := range i {
			cost += p.conflict(&s.candidates[j][s.chosen[j]])
		}
	}
	return cost
}
