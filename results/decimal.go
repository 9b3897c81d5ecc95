package results

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// decimal is a number as it is printed: units of 10^-places. Differences of printed numbers are exact in it.
type decimal struct {
	units  int64
	places int
}

// ratio is n/unit rounded half-up to the given places, for n ≥ 0.
func ratio(n, unit int64, places int) decimal {
	return decimal{(2*n*pow10(places) + unit) / (2 * unit), places}
}

// percent is a fraction of 1 as percent with two places, as the published tables print it.
func percent(fraction float64) decimal {
	return decimal{int64(math.Round(fraction * 1e4)), 2}
}

// decimal keeps the digits of a figure.
func (f Figure) decimal() decimal {
	units, _ := strconv.ParseInt(strings.Replace(string(f), ".", "", 1), 10, 64)
	return decimal{units, f.Decimals()}
}

func (d decimal) value() float64 { return float64(d.units) / float64(pow10(d.places)) }

// minus subtracts a number with as many places.
func (d decimal) minus(e decimal) decimal { return decimal{d.units - e.units, d.places} }

func (d decimal) String() string {
	sign, units := "", d.units
	if units < 0 {
		sign, units = "-", -units
	}
	if d.places == 0 {
		return fmt.Sprintf("%s%d", sign, units)
	}
	scale := pow10(d.places)
	return fmt.Sprintf("%s%d.%0*d", sign, units/scale, d.places, units%scale)
}

// Signed is String with a plus sign before positive numbers.
func (d decimal) Signed() string {
	if d.units > 0 {
		return "+" + d.String()
	}
	return d.String()
}

// MarshalJSON writes a number with all its places.
func (d decimal) MarshalJSON() ([]byte, error) { return []byte(d.String()), nil }

func pow10(n int) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}
