package conv

import "testing"

// Whole segments are those whose first and last pixel are in the line.
func TestGatherWhole(t *testing.T) {
	for _, test := range []struct {
		name                        string
		w, sw, left, pixels, x, end int
		from, to                    int
	}{
		{"all inside", 9, 1, 0, 3, 0, 7, 0, 7},
		{"padding on both sides", 9, 1, -1, 3, 0, 9, 1, 8},
		{"stride", 9, 2, -1, 3, 0, 5, 1, 4},
		{"a part in the left padding", 9, 1, -4, 3, 0, 2, 2, 2},
		{"a part in the right padding", 9, 1, -1, 3, 8, 9, 8, 8},
		{"wider than the image", 2, 1, -1, 3, 0, 2, 1, 1},
		{"wider than the image, without padding on the left", 2, 1, 0, 3, 0, 2, 0, 0},
	} {
		g := gather{w: test.w, sw: test.sw}
		from, to := g.whole(test.left, test.pixels, test.x, test.end)
		if from != test.from || to != test.to {
			t.Errorf("%s: [%d,%d), want [%d,%d)", test.name, from, to, test.from, test.to)
		}
	}
	for _, g := range []gather{{w: 1, sw: 1}, {w: 5, sw: 1}, {w: 8, sw: 2}, {w: 7, sw: 3}} {
		for left := -6; left <= 6; left++ {
			for pixels := 1; pixels <= 4; pixels++ {
				const x, end = 2, 9
				from, to := g.whole(left, pixels, x, end)
				if from < x || to < from || to > end {
					t.Errorf("width %d, stride %d, %d pixels from %d: [%d,%d)", g.w, g.sw, pixels, left, from, to)
				}
				for p := x; p < end; p++ {
					first := left + p*g.sw
					inside := first >= 0 && first+pixels <= g.w
					if got := from <= p && p < to; got != inside {
						t.Errorf("width %d, stride %d, %d pixels from %d: position %d is inside: %t, want %t",
							g.w, g.sw, pixels, left, p, got, inside)
					}
				}
			}
		}
	}
}
