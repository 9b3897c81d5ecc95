package plots

import (
	"testing"

	"gonum.org/v1/plot/vg"
)

func TestSegments(t *testing.T) {
	at := func(x, y vg.Length) vg.Point { return vg.Point{X: x, Y: y} }
	box := vg.Rectangle{Min: at(0, 0), Max: at(10, 4)}
	for name, c := range map[string]struct {
		s    segment
		want bool
	}{
		"through":       {segment{at(-5, 2), at(15, 2)}, true},
		"cuts a corner": {segment{at(-2, 3), at(2, 7)}, false},
		"over a corner": {segment{at(-1, 2), at(3, 6)}, true},
		"ends inside":   {segment{at(5, 2), at(5, 20)}, true},
		"beside":        {segment{at(11, -5), at(11, 9)}, false},
		"above":         {segment{at(-5, 5), at(15, 5)}, false},
	} {
		if got := c.s.enters(box); got != c.want {
			t.Errorf("%s: enters is %v", name, got)
		}
	}
	if d := (segment{at(0, 0), at(10, 0)}).distanceTo(at(13, 4)); d != 5 {
		t.Errorf("distance to the end is %v, want 5", d)
	}
	if !(disc{at(-1, 2), 1.5}).covers(box) || (disc{at(-1, -1), 1.4}).covers(box) {
		t.Error("a disc covers a box where it reaches into it, and not where it only passes the corner")
	}
}
