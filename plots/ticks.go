package plots

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"
)

// logTicks labels 1, 2 and 5 times each power of ten in the range and marks the other multiples. gonum's own
// labels powers of ten only, and a narrow range may contain none.
type logTicks struct{}

func (logTicks) Ticks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	for exponent := math.Floor(math.Log10(low)); exponent <= math.Ceil(math.Log10(high)); exponent++ {
		for m := 1.0; m < 10; m++ {
			v := m * math.Pow(10, exponent)
			if v < low || v > high {
				continue
			}
			tick := plot.Tick{Value: v}
			if m == 1 || m == 2 || m == 5 {
				tick.Label = strconv.FormatFloat(v, 'f', max(0, int(-exponent)), 64)
			}
			ticks = append(ticks, tick)
		}
	}
	return ticks
}

// percentTicks labels every step percent, and marks the halves between.
type percentTicks struct{}

func (percentTicks) Ticks(low, high float64) []plot.Tick {
	step := 1.0
	for _, s := range []float64{2, 5, 10, 20} {
		if (high-low)/step > 10 {
			step = s
		}
	}
	var ticks []plot.Tick
	// Whole halves are counted as integers, which have no negative zero to print.
	for i := int(math.Ceil(2 * low / step)); float64(i)*step/2 <= high; i++ {
		tick := plot.Tick{Value: float64(i) * step / 2}
		if i%2 == 0 {
			tick.Label = strconv.FormatFloat(tick.Value, 'f', -1, 64)
		}
		ticks = append(ticks, tick)
	}
	return ticks
}
