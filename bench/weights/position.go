package weights

import (
	"fmt"
	"math"
	"slices"
)

// Grid is how the tokens of a position embedding lie, in rows from the top.
type Grid struct{ H, W int }

func (g Grid) String() string { return fmt.Sprintf("%d×%d", g.H, g.W) }

// A layout is how a published position embedding, [1, tokens + positions, C], lies: the class token's vector first,
// perhaps those of other tokens, then a grid.
type layout struct {
	tokens int
	grid   Grid
}

// layout is that of a published position embedding for a network that wants another: both are [1, tokens + positions,
// C], the network's with the class token alone. What is published was trained on square images, or has the network's
// grid and more tokens.
func (g Grid) layout(published, wanted []int, tokens int) (layout, bool) {
	if len(published) != 3 || len(wanted) != 3 || published[1] <= tokens || wanted[1] != 1+g.H*g.W ||
		published[0] != 1 || wanted[0] != 1 || published[2] != wanted[2] {
		return layout{}, false
	}
	positions := published[1] - tokens
	if positions == g.H*g.W {
		return layout{tokens, g}, true
	}
	side := int(math.Sqrt(float64(positions)))
	return layout{tokens, Grid{side, side}}, side*side == positions
}

// describe says what becomes of a position embedding with that layout in a network with the grid.
func (l layout) describe(name string, to Grid) string {
	if l.grid == to {
		return fmt.Sprintf("%s without the vectors of %d further tokens", name, l.tokens-1)
	}
	return fmt.Sprintf("%s resized from %v to %v tokens, bicubic without antialiasing", name, l.grid, to)
}

// resizePositions takes a position embedding of c channels to another grid. The class token's vector is kept, those of
// other tokens are left out. The grid's are interpolated as timm did before 0.9, and as the models of the published
// tables' time were: bicubic, in PyTorch's terms with align_corners and antialias off. Later versions of timm
// antialias, which gives another embedding wherever a side shrinks.
func resizePositions(values []float32, from layout, to Grid, c int) []float32 {
	resized := slices.Grow(slices.Clone(values[:c]), to.H*to.W*c)
	grid := values[from.tokens*c:]
	if from.grid == to {
		return append(resized, grid...)
	}
	rows, columns := cubicTaps(from.grid.H, to.H), cubicTaps(from.grid.W, to.W)
	for _, row := range rows {
		for _, column := range columns {
			for k := range c {
				sum := 0.0
				for i, y := range row.from {
					line := 0.0
					for j, x := range column.from {
						line += column.weight[j] * float64(grid[(y*from.grid.W+x)*c+k])
					}
					sum += row.weight[i] * line
				}
				resized = append(resized, float32(sum))
			}
		}
	}
	return resized
}

// A cubicTap says where one interpolated place reads along one side of the grid, and with what weights.
type cubicTap struct {
	from   [4]int
	weight [4]float64
}

// cubicTaps is the convolution of Keys 1981 with a = −¾, as PyTorch has it: centres of cells correspond, places beyond
// the border read the border.
func cubicTaps(from, to int) []cubicTap {
	const a = -0.75
	taps := make([]cubicTap, to)
	for i := range taps {
		place := (float64(i)+0.5)*float64(from)/float64(to) - 0.5
		first := math.Floor(place)
		for j := range 4 {
			at := first + float64(j-1)
			d := math.Abs(place - at)
			taps[i].from[j] = min(max(int(at), 0), from-1)
			if d <= 1 {
				taps[i].weight[j] = ((a+2)*d-(a+3))*d*d + 1
			} else {
				taps[i].weight[j] = ((a*d-5*a)*d+8*a)*d - 4*a
			}
		}
	}
	return taps
}
