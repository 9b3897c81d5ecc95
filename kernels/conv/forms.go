package conv

import "fmt"

// Form is a way to compute one direction of a convolution.
type Form string

// The forms.
const (
	FormProduct   Form = "product"   // a matrix product of gathered windows and weights
	FormLines     Form = "lines"     // the same, with windows read from copies of whole lines
	FormStrassen  Form = "strassen"  // the same, in Strassen's form
	FormWinograd  Form = "winograd"  // Winograd's minimal filtering
	FormGrouped   Form = "grouped"   // the kernels for small groups
	FormDepthwise Form = "depthwise" // the kernels for channels by themselves
)

// Forms are those of a convolution's three directions.
type Forms struct{ Forward, Data, Weights Form }

// String returns the forms by direction.
func (f Forms) String() string {
	return fmt.Sprintf("forward %s, data %s, weights %s", f.Forward, f.Data, f.Weights)
}

// Forms returns how n samples are computed with the instruction set in use.
func (c *Conv) Forms(n int) Forms {
	return Forms{c.forwardEngine(n).form(n), c.dataEngine(n).form(n), c.weightEngine(n).form(n)}
}

func (d *depthwise) form(int) Form { return FormDepthwise }

func (g *grouped) form(int) Form { return FormGrouped }

func (p *productPass) form(n int) Form { return p.parts[0].of(n).form() }

func (p *implicitProduct) form() Form {
	switch {
	case p.quartered():
		return FormStrassen
	case p.multipliesLines():
		return FormLines
	}
	return FormProduct
}

func (p *winogradProduct) form() Form { return FormWinograd }

func (w *winogradWeights) form(int) Form { return FormWinograd }

func (p *linedWeights) form(int) Form { return FormLines }

func (w *weightPass) form(int) Form { return FormProduct }
