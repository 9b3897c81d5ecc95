package results

import "fmt"

// networkValues are those values of recipes that change networks.
var networkValues = []string{"bnneck", "last_stride", "input_size"}

// otherCost is what the run's network costs where its recipe has another one than the published, "" elsewhere.
func (r *Record) otherCost() string {
	for _, key := range networkValues {
		if !isZero(r.Recipe.Values[key]) {
			c := r.Cost
			return fmt.Sprintf("%.3f M params and %.3f G MACs, as its recipe changes the network; above stand those "+
				"of the published one", float64(c.Params)/1e6, float64(c.MACs)/1e9)
		}
	}
	return ""
}
