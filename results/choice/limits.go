package choice

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// unit is what a number may stand before.
type unit struct {
	name  string
	times float64
}

var (
	counts = []unit{{"K", 1e3}, {"M", 1e6}, {"G", 1e9}, {"", 1}}
	bytes  = []unit{
		{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1},
	}
)

// ParseLimit reads the most that a model may cost: 10M parameters, 2G multiply-adds, 20ms, 300MB.
func ParseLimit(cost Cost, text string) (float64, error) {
	switch cost {
	case Latency:
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 {
			return 0, fmt.Errorf("%q is no time, as 20ms or 1.5s are", text)
		}
		return float64(d) / float64(time.Millisecond), nil
	case Memory:
		return parse(text, bytes, "amount of memory, as 300MB, 256MiB or 1.5GB are")
	}
	return parse(text, counts, "number, as 10M, 2G or 2500000 are")
}

func parse(text string, units []unit, want string) (float64, error) {
	for _, u := range units {
		if rest := len(text) - len(u.name); rest > 0 && strings.EqualFold(text[rest:], u.name) {
			v, err := strconv.ParseFloat(text[:rest], 64)
			if v *= u.times; err != nil || !(v > 0) || math.IsInf(v, 0) {
				break
			}
			return v, nil
		}
	}
	return 0, fmt.Errorf("%q is no %s", text, want)
}
