package results

import (
	"fmt"
	"math"
)

// Heatmap is where a network looks in an image, in as many places as its last map or its patches have.
type Heatmap struct {
	Height int       `json:"height"`
	Width  int       `json:"width"`
	Values []float64 `json:"values"` // in rows, [Height, Width]; the more, the more the network makes of the place
}

// maxHeatmap bounds the places of a heatmap: those of the largest images that a network takes are fewer.
const maxHeatmap = 1 << 20

// validate refuses what can't be drawn.
func (m *Heatmap) validate() error {
	if m == nil {
		return nil
	}
	if m.Height < 1 || m.Width < 1 || m.Height > maxHeatmap || m.Width > maxHeatmap ||
		m.Height*m.Width != len(m.Values) {
		return fmt.Errorf("a heatmap of %d × %d with %d values", m.Height, m.Width, len(m.Values))
	}
	for _, v := range m.Values {
		if !(v >= 0 && v <= math.MaxFloat32) {
			return fmt.Errorf("a heatmap with the value %v", v)
		}
	}
	return nil
}
