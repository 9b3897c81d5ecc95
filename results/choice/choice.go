// Package choice says which models are worth having within limits of cost: those that fit, the best first, without
// those that another one beats in everything.
package choice

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Cost is one of a model's.
type Cost string

// The costs. Params and MACs are counted, the others measured.
const (
	Params  Cost = "params"
	MACs    Cost = "macs"
	Latency Cost = "latency_ms"   // of one image
	Memory  Cost = "memory_bytes" // for one image, with the weights
)

// Costs lists them.
func Costs() []Cost { return []Cost{Params, MACs, Latency, Memory} }

// A Candidate is a model with what it achieves and what it costs.
type Candidate struct {
	Model    string           `json:"model"`
	Accuracy Accuracy         `json:"accuracy"`
	MAP      float64          `json:"map"` // in percent, as Rank-1
	Rank1    float64          `json:"rank1"`
	Costs    map[Cost]float64 `json:"costs"` // above 0; those that are not known are not there
}

// Accuracy says whose figures a candidate's are.
type Accuracy string

// The comparison's, or those of runs that were made as its were.
const (
	Published Accuracy = "published"
	Ours      Accuracy = "ours"
)

// Limits are the most that a model may cost; what is not there is not limited.
type Limits map[Cost]float64

// A Choice parts candidates. Each part is sorted by mAP, then Rank-1, the best first, then by name.
type Choice struct {
	Fitting []Fitting `json:"fitting"` // within the limits, and not beaten
	Beaten  []Beaten  `json:"beaten"`
	Unknown []Unknown `json:"unknown"` // within the limits as far as that is known
	Over    []Over    `json:"over"`
	FrontBy []Cost    `json:"front_by"` // the costs that the front is about
}

// Fitting is a candidate within the limits. It is on the front if none of those within them has at least its mAP at no
// more of each cost of the front, and is better in one of these.
type Fitting struct {
	Candidate
	Front bool `json:"front"`
}

// Beaten is a candidate within the limits to which another one of them, By, is at least equal in mAP, Rank-1 and all
// costs, and better in one. Two of which not the same costs are known are not compared.
type Beaten struct {
	Candidate
	By string `json:"by"`
}

// Unknown is a candidate of which costs that are limited are not known.
type Unknown struct {
	Candidate
	Lacks []Cost `json:"lacks"`
}

// Over is a candidate that costs too much.
type Over struct {
	Candidate
	Exceeds []Cost `json:"exceeds"`
}

// Choose parts the candidates.
func Choose(candidates []Candidate, limits Limits) Choice {
	sorted := slices.SortedFunc(slices.Values(candidates), func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(b.MAP, a.MAP), cmp.Compare(b.Rank1, a.Rank1), strings.Compare(a.Model, b.Model))
	})
	c := Choice{Fitting: []Fitting{}, Beaten: []Beaten{}, Unknown: []Unknown{}, Over: []Over{}}
	var within []Candidate
	for _, candidate := range sorted {
		var over, unknown []Cost
		for _, cost := range Costs() {
			limit, limited := limits[cost]
			switch value, known := candidate.Costs[cost]; {
			case !limited:
			case !known:
				unknown = append(unknown, cost)
			case value > limit:
				over = append(over, cost)
			}
		}
		switch {
		case over != nil:
			c.Over = append(c.Over, Over{candidate, over})
		case unknown != nil:
			c.Unknown = append(c.Unknown, Unknown{candidate, unknown})
		default:
			within = append(within, candidate)
		}
	}
	c.FrontBy = frontCosts(within, limits)
	for _, candidate := range within {
		if !slices.ContainsFunc(within, candidate.beatenBy) {
			c.Fitting = append(c.Fitting, Fitting{candidate, !slices.ContainsFunc(within, func(other Candidate) bool {
				return better(append(costsOf(candidate, other, c.FrontBy), sides{other.MAP, candidate.MAP}))
			})})
		}
	}
	for _, candidate := range within {
		for _, f := range c.Fitting { // who beats it is there: what beats that one beats this one, too
			if candidate.beatenBy(f.Candidate) {
				c.Beaten = append(c.Beaten, Beaten{candidate, f.Model})
				break
			}
		}
	}
	return c
}

// frontCosts are the costs that are limited, or else the one that says most of speed and is known of all.
func frontCosts(within []Candidate, limits Limits) []Cost {
	if len(limits) > 0 {
		return slices.DeleteFunc(Costs(), func(cost Cost) bool { _, ok := limits[cost]; return !ok })
	}
	for _, candidate := range within {
		if _, known := candidate.Costs[Latency]; !known {
			return []Cost{MACs}
		}
	}
	return []Cost{Latency}
}

// beatenBy reports whether the other one is at least as good in everything, and better in something.
func (c Candidate) beatenBy(other Candidate) bool {
	for _, cost := range Costs() {
		_, ours := c.Costs[cost]
		if _, theirs := other.Costs[cost]; ours != theirs {
			return false
		}
	}
	return better(append(costsOf(c, other, Costs()), sides{other.MAP, c.MAP}, sides{other.Rank1, c.Rank1}))
}

// sides are a figure of two, of which the higher one is better.
type sides struct{ other, own float64 }

// costsOf are costs of two candidates, negated.
func costsOf(c, other Candidate, costs []Cost) []sides {
	var pairs []sides
	for _, cost := range costs {
		pairs = append(pairs, sides{-other.Costs[cost], -c.Costs[cost]})
	}
	return pairs
}

// better reports whether the other one is worse in none and better in one.
func better(pairs []sides) bool {
	some := false
	for _, p := range pairs {
		if p.other < p.own {
			return false
		}
		some = some || p.other > p.own
	}
	return some
}

// Title is what the cost is called.
func (c Cost) Title() string {
	switch c {
	case Params:
		return "params"
	case MACs:
		return "MACs"
	case Latency:
		return "latency"
	case Memory:
		return "memory"
	}
	panic(fmt.Sprintf("choice: no cost %q", string(c)))
}

// Measured reports whether the cost is one that has to be measured to be known.
func (c Cost) Measured() bool { return c == Latency || c == Memory }
