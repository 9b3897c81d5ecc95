package conv

import (
	"math"

	"github.com/reidbench/reidbench/kernels/isa"
)

// Winograd's minimal filtering (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016, section 4)
// computes m outputs of a filter of r taps from m+r-1 products instead of m·r, and a tile of m×m outputs from (m+r-1)²:
//
//	Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A
//
// for a filter g and the inputs d under the tile. Over tiles and channels, the products are one matrix product for each
// position of the transformed tile. The gradients of this form are of the same kind: that of d is the form for the
// turned filter, and
//
//	dg = Gᵀ [(Bᵀ d B) ⊙ (A dY Aᵀ)] G

// winogradForm holds the matrices of Winograd's minimal filtering. Filters of one line are transformed along it only.
type winogradForm struct {
	tileH, tileW   int // outputs
	positions      int // matrix products that the form consists of
	input          tileTransform
	filter         tileTransform
	output         tileTransform
	outputGradient tileTransform // A dY Aᵀ
	filterGradient tileTransform // Gᵀ · G
}

// formKernels is the assembly of a form's transforms.
type formKernels struct {
	input, filter, outputGradient spreadKernels
	output, filterGradient        collectKernels
}

var (
	// smallForm is F(2×2,3×3), with 2.25 times fewer products than the plain sum and rounding errors that are no
	// larger. It is the form of the forward pass where no batch norm follows: a value close to zero or to its neighbour
	// decides where ReLU and maximum pooling let the gradient through, and with the errors of largeForm the gradients
	// of VGG16 miss those of PyTorch. Batch norm's own rounding is larger than either.
	smallForm = squareForm(newFiltering(2, 3, 1), formKernels{
		input:  spreadKernels{isa.AVX2: spreadInput4AVX2, isa.AVX512: spreadInput4AVX512},
		filter: spreadKernels{isa.AVX2: spreadFilter3To4AVX2, isa.AVX512: spreadFilter3To4AVX512},
		output: collectKernels{isa.AVX2: collectOutput4To2AVX2, isa.AVX512: collectOutput4To2AVX512},
	})

	// largeForm is F(4×4,3×3), with 4 times fewer products than the plain sum and about twice its rounding errors: half
	// of those of the usual points ±1 and ±2.
	largeForm = squareForm(newFiltering(4, 3, 0.625, 1.5), formKernels{
		input:          spreadKernels{isa.AVX2: spreadInput6AVX2, isa.AVX512: spreadInput6AVX512},
		filter:         spreadKernels{isa.AVX2: spreadFilter3To6AVX2, isa.AVX512: spreadFilter3To6AVX512},
		output:         collectKernels{isa.AVX2: collectOutput6To4AVX2, isa.AVX512: collectOutput6To4AVX512},
		outputGradient: spreadKernels{isa.AVX2: spreadGradient4To6AVX2, isa.AVX512: spreadGradient4To6AVX512},
		filterGradient: collectKernels{isa.AVX2: collectGradient6To3AVX2, isa.AVX512: collectGradient6To3AVX512},
	})

	// form5x5 is F(2×2,5×5), with 2.8 times fewer products and 1.3 times the rounding errors.
	form5x5 = squareForm(newFiltering(2, 5, 0.625, 1.5), formKernels{
		input:          spreadKernels{isa.AVX2: spreadInput6AVX2, isa.AVX512: spreadInput6AVX512},
		filter:         spreadKernels{isa.AVX2: spreadFilter5To6AVX2, isa.AVX512: spreadFilter5To6AVX512},
		output:         collectKernels{isa.AVX2: collectOutput6To2AVX2, isa.AVX512: collectOutput6To2AVX512},
		outputGradient: spreadKernels{isa.AVX2: spreadGradient2To6AVX2, isa.AVX512: spreadGradient2To6AVX512},
		filterGradient: collectKernels{isa.AVX2: collectGradient6To5AVX2, isa.AVX512: collectGradient6To5AVX512},
	})

	// form1x7 and form7x1 are F(4,7), with 2.8 times fewer products and about 4 times the rounding errors.
	form1x7 = lineForm(filtering7, false, kernels7)
	form7x1 = lineForm(filtering7, true, kernels7)

	filtering7 = newFiltering(4, 7, 0.375, 0.75, 1.25, 2)
	kernels7   = formKernels{
		input:          spreadKernels{isa.AVX2: spreadInputLine10AVX2, isa.AVX512: spreadInputLine10AVX512},
		filter:         spreadKernels{isa.AVX2: spreadFilterLine7To10AVX2, isa.AVX512: spreadFilterLine7To10AVX512},
		output:         collectKernels{isa.AVX2: collectOutputLine10To4AVX2, isa.AVX512: collectOutputLine10To4AVX512},
		outputGradient: spreadKernels{isa.AVX2: spreadGradientLine4To10AVX2, isa.AVX512: spreadGradientLine4To10AVX512},
		filterGradient: collectKernels{
			isa.AVX2: collectGradientLine10To7AVX2, isa.AVX512: collectGradientLine10To7AVX512,
		},
	}
)

// squareForm is the form of square filters, in two dimensions the same.
func squareForm(f filtering, k formKernels) *winogradForm {
	both := func(m matrix) tileTransform { return tileTransform{down: m, across: m} }
	return newForm(f.outputs, f.outputs, f, both, k)
}

// lineForm is the form of filters of one line, across the image or, turned, down.
func lineForm(f filtering, turned bool, k formKernels) *winogradForm {
	line := func(m matrix) tileTransform { return tileTransform{down: matrix{{1}}, across: m, turned: turned} }
	if turned {
		return newForm(f.outputs, 1, f, line, k)
	}
	return newForm(1, f.outputs, f, line, k)
}

func newForm(tileH, tileW int, f filtering, transform func(matrix) tileTransform, k formKernels) *winogradForm {
	form := &winogradForm{
		tileH: tileH, tileW: tileW,
		input: transform(f.input), filter: transform(f.filter), output: transform(f.output),
		outputGradient: transform(f.output.transposed()), filterGradient: transform(f.filter.transposed()),
	}
	form.positions = len(form.input.down) * len(form.input.across)
	form.input.spread, form.filter.spread, form.outputGradient.spread = k.input, k.filter, k.outputGradient
	form.output.collect, form.filterGradient.collect = k.output, k.filterGradient
	return form
}

type matrix [][]float64

func (m matrix) transposed() matrix {
	t := make(matrix, len(m[0]))
	for i := range t {
		for j := range m {
			t[i] = append(t[i], m[j][i])
		}
	}
	return t
}

// filtering is F(m,r): the matrices Bᵀ, G and Aᵀ of m outputs of a filter of r taps.
type filtering struct {
	outputs, taps         int
	input, filter, output matrix
}

// newFiltering interpolates at the points 0, ±each of the roots and infinity: one point for each product.
// Points that are short binary fractions make Bᵀ and Aᵀ exact in float32. Which are best was searched for among those.
//
// Filter and outputs are polynomials that are evaluated at the points, and Bᵀ is the transpose of interpolation: its
// row for a point t has the coefficients of Π(x-s) over the other points s, the weight 1/Π(t-s) is in G. F(2,3), for
// example, has the points 0, 1, -1 and infinity. With inputs d, taps g and outputs y, its four products are
//
//	m₀ = (d₂ - d₀) * -g₀             0:        Π(x-s) = (x-1)(x+1) = x²-1, Π(t-s) = -1
//	m₁ = (d₁ + d₂) * (g₀+g₁+g₂)/2    1:        Π(x-s) = x(x+1) = x²+x,     Π(t-s) = 2
//	m₂ = (d₂ - d₁) * (g₀-g₁+g₂)/2    -1:       Π(x-s) = x(x-1) = x²-x,     Π(t-s) = 2
//	m₃ = (d₃ - d₁) * g₂              infinity: Π(x-s) = x(x-1)(x+1) = x³-x
//
//	y₀ = m₀ + m₁ + m₂      = d₀g₀ + d₁g₁ + d₂g₂
//	y₁ =      m₁ - m₂ + m₃ = d₁g₀ + d₂g₁ + d₃g₂
func newFiltering(outputs, taps int, roots ...float64) filtering {
	points := []float64{0}
	for _, root := range roots {
		points = append(points, root, -root)
	}
	f := filtering{outputs: outputs, taps: taps, output: make(matrix, outputs)}
	others := func(at int) (coefficients []float64, product float64) {
		coefficients, product = append(coefficients, 1), 1
		for j, s := range points {
			if j == at {
				continue
			}
			coefficients = append(coefficients, 0)
			for i := len(coefficients) - 1; i >= 0; i-- {
				coefficients[i] *= -s
				if i > 0 {
					coefficients[i] += coefficients[i-1]
				}
			}
			if at >= 0 {
				product *= points[at] - s
			}
		}
		return coefficients, product
	}
	for j, t := range points {
		row, product := others(j)
		f.input = append(f.input, append(row, 0))
		var filter []float64
		for k := range taps {
			filter = append(filter, math.Pow(t, float64(k))/product)
		}
		f.filter = append(f.filter, filter)
		for i := range outputs {
			f.output[i] = append(f.output[i], math.Pow(t, float64(i)))
		}
	}
	row, _ := others(-1) // infinity
	f.input = append(f.input, row)
	f.filter = append(f.filter, append(make([]float64, taps-1), 1))
	for i := range outputs {
		last := 0.0
		if i == outputs-1 {
			last = 1
		}
		f.output[i] = append(f.output[i], last)
	}
	return f
}
