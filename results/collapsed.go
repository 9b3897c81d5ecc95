package results

import "fmt"

// SuspiciousTies is the share of tied distances that no features have by chance: of float32 distances, one in a million
// is tied, and copies of images are few.
const SuspiciousTies = 0.01

// Collapsed says what is wrong with figures of which so large a share of the distances is tied; "": nothing.
func Collapsed(tied float64) string {
	if tied < SuspiciousTies {
		return ""
	}
	return fmt.Sprintf("%.1f %% of the gallery's other images are exactly as far from a query as one of its matches, "+
		"and the figures follow the order of file names", 100*tied)
}

func (r *Record) collapsed() string {
	if r.Final == nil {
		return ""
	}
	return Collapsed(r.Final.Tied)
}
