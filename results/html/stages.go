package html

import (
	"fmt"
	"html/template"
	"math"
	"strings"

	"github.com/reidbench/reidbench/results"
)

// breakdown is where one network's MACs and time go.
type breakdown struct {
	Model  string
	MACs   bar
	Time   *bar // nil: not measured
	Step   string
	Stages []stageRow
}

// bar is a row of rectangles, one per stage, barWidth long together.
type bar struct {
	Label string // says the same in words
	Parts []part
}

type part struct {
	X, Width float64
	Title    string
	Class    template.HTMLAttr
}

const barWidth = 1000

// stageRow is a stage in figures.
type stageRow struct {
	Model, Name, Output        string
	MACs, Share                cell
	Forward, Backward, Seconds cell // a step's milliseconds, and the share
}

func (p Page) stages(lines []line) []breakdown {
	networks := make(map[string]Network)
	for _, n := range p.Networks {
		networks[n.Model] = n
	}
	var all []breakdown
	for _, l := range lines {
		if n, ok := networks[l.Model]; ok && len(n.Stages) > 0 {
			all = append(all, n.breakdown())
		}
	}
	return all
}

func (n Network) breakdown() breakdown {
	b := breakdown{Model: n.Model}
	measured := n.times()
	var macs, seconds []float64
	for _, s := range n.Stages {
		macs = append(macs, float64(s.MACs))
		seconds = append(seconds, measured[s.Name].Forward+measured[s.Name].Backward)
	}
	b.MACs = n.bar("MACs", macs, func(v float64) string { return magnitude(v) + " MACs" })
	if sum(seconds) > 0 {
		time := n.bar("Time", seconds, milliseconds)
		b.Time = &time
		b.Step = fmt.Sprintf("%s, batch %d", duration(n.Profile.Seconds()), n.Profile.Batch)
	}
	for i, s := range n.Stages {
		r := stageRow{
			Model: n.Model, Name: s.Name, Output: s.output(),
			MACs: cell{Text: magnitude(macs[i]), Sort: number(macs[i])}, Share: share(macs[i], sum(macs)),
		}
		if t, ok := measured[s.Name]; ok {
			r.Forward = cell{Text: milliseconds(t.Forward), Sort: number(t.Forward)}
			r.Backward = cell{Text: milliseconds(t.Backward), Sort: number(t.Backward)}
			r.Seconds = share(seconds[i], sum(seconds))
		}
		b.Stages = append(b.Stages, r)
	}
	return b
}

// times are the profile's by the name of the stage; a profile of another division of the network tells nothing.
func (n Network) times() map[string]results.StageTime {
	times := make(map[string]results.StageTime)
	if n.Profile != nil {
		for _, s := range n.Profile.Stages {
			times[s.Stage] = s
		}
	}
	return times
}

func (n Network) bar(quantity string, values []float64, text func(float64) string) bar {
	var b bar
	var words []string
	x, total := 0.0, sum(values)
	for i, s := range n.Stages {
		width := barWidth * values[i] / max(total, math.SmallestNonzeroFloat64)
		title := fmt.Sprintf("%s, %s: %s, %s", s.Name, s.output(), text(values[i]), share(values[i], total).Text)
		b.Parts = append(b.Parts, part{X: round(x), Width: round(width), Title: title, Class: s.class()})
		words = append(words, s.Name+" "+share(values[i], total).Text)
		x += width
	}
	b.Label = quantity + ": " + strings.Join(words, ", ")
	return b
}

// output names the stage's feature map.
func (s Stage) output() string {
	if s.Tokens {
		return fmt.Sprintf("%d tokens", s.Width)
	}
	return fmt.Sprintf("%d×%d", s.Height, s.Width)
}

// shades are the areas, in positions, above which a map has a shade of its own, half of what the legend says: those of
// a 256×128 image halved again and again.
var shades = []int{128 * 64 / 2, 64 * 32 / 2, 32 * 16 / 2, 16 * 8 / 2, 0}

// class is the stage's shade.
func (s Stage) class() template.HTMLAttr {
	if s.Tokens {
		return `class="tokens"`
	}
	for i, area := range shades {
		if s.Height*s.Width > area {
			return template.HTMLAttr(fmt.Sprintf(`class="map%d"`, i))
		}
	}
	return ""
}

func sum(values []float64) float64 {
	total := 0.0
	for _, v := range values {
		total += v
	}
	return total
}

func share(part, whole float64) cell {
	if whole == 0 {
		return cell{}
	}
	return cell{Text: fmt.Sprintf("%.1f %%", 100*part/whole), Sort: number(part / whole)}
}

func milliseconds(seconds float64) string { return significant(1000*seconds) + " ms" }

// magnitude prints a count with a prefix.
func magnitude(v float64) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e9, " G"}, {1e6, " M"}, {1e3, " k"}} {
		if v >= unit.size {
			return significant(v/unit.size) + unit.name
		}
	}
	return significant(v)
}

func round(v float64) float64 { return math.Round(10*v) / 10 }
