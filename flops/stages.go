package flops

import (
	"slices"
	"strings"

	"github.com/reidbench/reidbench/models/graph"
)

// Stage is a part of a network that its author gave a name: "layer3" of a ResNet, "blocks.7" of a ViT.
type Stage struct {
	Name  string
	Nodes []*graph.Node // in the graph's order
	Cost  Cost          // their sum; its Node is nil
	Shape graph.Shape   // that most of its MACs put out
}

// A network is shown in at least fewestStages, if its names allow that, and not in many more than mostStages.
const (
	fewestStages = 5
	mostStages   = 16
)

// Stages divides a counted graph by the paths of its modules. Modules that are little more than a list of others
// ("features", "blocks") are opened. Where that gives too many stages, neighbours of the same resolution are joined:
// "features.6–9". Layers without MACs belong to the stage before them. The classifier is a stage of its own.
func (r Report) Stages() []Stage {
	opened := map[string]bool{}
	stages := r.divide(opened)
	for len(stages) < fewestStages {
		largest := -1
		for i, s := range stages {
			if !opened[s.Name] && s.opens() && (largest < 0 || s.Cost.MACs() > stages[largest].Cost.MACs()) {
				largest = i
			}
		}
		if largest < 0 {
			break
		}
		opened[stages[largest].Name] = true
		stages = r.divide(opened)
	}
	if len(stages) > mostStages {
		stages = joinResolutions(stages)
	}
	return stages
}

// divide makes a stage of every module at the top and in the opened ones.
func (r Report) divide(opened map[string]bool) []Stage {
	var stages []Stage
	var free []Cost // without MACs, and before the first stage
	for _, c := range r.Costs {
		name := c.Node.Module
		if c.Node != r.Classifier.Node {
			name = top(name, opened)
		}
		i := slices.IndexFunc(stages, func(s Stage) bool { return s.Name == name })
		switch {
		case i >= 0:
			stages[i].add(c)
		case c.MACs() > 0:
			s := Stage{Name: name}
			for _, f := range append(free, c) {
				s.add(f)
			}
			stages, free = append(stages, s), nil
		case len(stages) > 0:
			stages[len(stages)-1].add(c)
		default:
			free = append(free, c)
		}
	}
	for i := range stages {
		stages[i].Shape = r.mainShape(stages[i].Nodes)
	}
	return stages
}

// top is the path down to the first module that is not opened.
func top(path string, opened map[string]bool) string {
	for i, c := range path {
		if c == '.' && !opened[path[:i]] {
			return path[:i]
		}
	}
	return path
}

func (s *Stage) add(c Cost) {
	s.Nodes = append(s.Nodes, c.Node)
	s.Cost.add(c)
}

// opens reports whether there are modules below the stage's module.
func (s Stage) opens() bool {
	return slices.ContainsFunc(s.Nodes, func(n *graph.Node) bool { return strings.HasPrefix(n.Module, s.Name+".") })
}

// mainShape is the output that most MACs of the nodes are spent on.
func (r Report) mainShape(nodes []*graph.Node) (main graph.Shape) {
	spent := map[[2]int]int64{}
	for _, n := range nodes {
		spent[[2]int{n.Shape.H, n.Shape.W}] += r.Costs[n.ID].MACs()
	}
	most := int64(-1)
	for _, n := range nodes {
		if macs := spent[[2]int{n.Shape.H, n.Shape.W}]; macs > most {
			most, main = macs, n.Shape
		}
	}
	return main
}

// joinResolutions makes one stage of neighbours whose main shapes have the same height and width.
func joinResolutions(stages []Stage) []Stage {
	var joined []Stage
	var first string
	for _, s := range stages {
		last := len(joined) - 1
		if last < 0 || joined[last].Shape.H != s.Shape.H || joined[last].Shape.W != s.Shape.W {
			joined, first = append(joined, s), s.Name
			continue
		}
		j := &joined[last]
		j.Nodes = append(j.Nodes, s.Nodes...)
		j.Cost.add(s.Cost)
		j.Name = first + "–" + s.Name
		if parent := strings.LastIndexByte(first, '.'); parent >= 0 && strings.HasPrefix(s.Name, first[:parent+1]) {
			j.Name = first + "–" + s.Name[parent+1:]
		}
	}
	return joined
}
