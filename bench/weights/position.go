package weights

import (
	"fmt"
	"math"
	"slices"
)

// Grid is how the tokens of a position embedding lie, in rows from the top.
type Grid struct{ H, W int }

func (g Grid) String() string { return fmt.Sprintf("%d×%d", g.H, g.W) }

// square is the grid of a published position embedding for a network that wants another: both are [1, 1+tokens, C],
// with the class token first, and what is published was trained on square images.
func (g Grid) square(published, wanted []int) (Grid, bool) {
	if len(published) != 3 || len(wanted) != 3 || published[1] < 2 || wanted[1] != 1+g.H*g.W ||
		published[0] != 1 || wanted[0] != 1 || published[2] != wanted[2] {
		return Grid{}, false
	}
	side := int(math.Sqrt(float64(published[1] - 1)))
	return Grid{side, side}, side*side == published[1]-1
}

// resizePositions takes a position embedding, [1+from.H·from.W, C], to another grid. The class token's is kept, the
// others' are interpolated as timm does for another image size: bicubic, in PyTorch's terms with align_corners and
// antialias off.
func resizePositions(values []float32, from, to Grid, c int) []float32 {
	resized := slices.Grow(slices.Clone(values[:c]), to.H*to.W*c)
	rows, columns := cubicTaps(from.H, to.H), cubicTaps(from.W, to.W)
	for _, row := range rows {
		for _, column := range columns {
			for k := range c {
				sum := 0.0
				for i, y := range row.from {
					line := 0.0
					for j, x := range column.from {
						line += column.weight[j] * float64(values[(1+y*from.W+x)*c+k])
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
