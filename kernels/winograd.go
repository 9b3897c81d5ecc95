package kernels

// Winograd's minimal filtering (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016, section 4)
// computes a tile of m×m outputs of a 3×3 convolution with (m+2)² products instead of 9m²:
//
//	Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A
//
// for a filter g and the inputs d under the tile. Over tiles and channels, the products are one matrix product for each
// position of the transformed tile. The gradients of this form are of the same kind: that of d is the form for the turned
// filter, and
//
//	dg = Gᵀ [(Bᵀ d B) ⊙ (A dY Aᵀ)] G
//
// winogradForm holds the matrices.
type winogradForm struct {
	tile           int // outputs, in either direction
	line           int // positions of a line of the transformed tile
	input          tileTransform
	filter         tileTransform
	output         tileTransform
	outputGradient tileTransform // A dY Aᵀ
	filterGradient tileTransform // Gᵀ · G
}

// positions returns how many matrix products the form consists of.
func (f *winogradForm) positions() int { return f.line * f.line }

// smallForm is F(2×2,3×3), with 2.25 times fewer products than the plain sum and rounding errors that are no larger. It is
// the form of the forward pass where no batch norm follows: a value close to zero or to its neighbour decides where ReLU and
// maximum pooling let the gradient through, and with the errors of largeForm the gradients of VGG16 miss those of PyTorch.
// Batch norm's own rounding is larger than either.
var smallForm = winogradForm{
	tile: 2, line: 4,
	input: tileTransform{
		matrix: [][]float64{
			{1, 0, -1, 0},
			{0, 1, 1, 0},
			{0, -1, 1, 0},
			{0, -1, 0, 1},
		},
		spread: spreadKernels{AVX2: spreadInput2AVX2, AVX512: spreadInput2AVX512},
	},
	filter: tileTransform{
		matrix: [][]float64{
			{1, 0, 0},
			{0.5, 0.5, 0.5},
			{0.5, -0.5, 0.5},
			{0, 0, 1},
		},
		spread: spreadKernels{AVX2: spreadFilter2AVX2, AVX512: spreadFilter2AVX512},
	},
	output: tileTransform{
		matrix: [][]float64{
			{1, 1, 1, 0},
			{0, 1, -1, 1},
		},
		collect: collectKernels{AVX2: collectOutput2AVX2, AVX512: collectOutput2AVX512},
	},
}

// The interpolation points of largeForm besides 0 and infinity are ±P and ±Q. They are short binary fractions, and the
// errors that follow are half of those of the usual ±1 and ±2.
const (
	pointP, pointQ   = 0.625, 1.5
	squareP, squareQ = pointP * pointP, pointQ * pointQ
	weight0          = 1 / (squareP * squareQ)
	weightP          = 1 / (2 * squareP * (squareP - squareQ))
	weightQ          = 1 / (2 * squareQ * (squareQ - squareP))
)

// largeForm is F(4×4,3×3), with 4 times fewer products than the plain sum and about twice its rounding errors.
var largeForm = winogradForm{
	tile: 4, line: 6,
	input: tileTransform{
		matrix: [][]float64{
			{squareP * squareQ, 0, -(squareP + squareQ), 0, 1, 0},
			{0, -pointP * squareQ, -squareQ, pointP, 1, 0},
			{0, pointP * squareQ, -squareQ, -pointP, 1, 0},
			{0, -pointQ * squareP, -squareP, pointQ, 1, 0},
			{0, pointQ * squareP, -squareP, -pointQ, 1, 0},
			{0, squareP * squareQ, 0, -(squareP + squareQ), 0, 1},
		},
		spread: spreadKernels{AVX2: spreadInput4AVX2, AVX512: spreadInput4AVX512},
	},
	filter: tileTransform{
		matrix: largeFilter,
		spread: spreadKernels{AVX2: spreadFilter4AVX2, AVX512: spreadFilter4AVX512},
	},
	output: tileTransform{
		matrix:  largeOutput,
		collect: collectKernels{AVX2: collectOutput4AVX2, AVX512: collectOutput4AVX512},
	},
	outputGradient: tileTransform{
		matrix: transposedMatrix(largeOutput),
		spread: spreadKernels{AVX2: spreadGradient4AVX2, AVX512: spreadGradient4AVX512},
	},
	filterGradient: tileTransform{
		matrix:  transposedMatrix(largeFilter),
		collect: collectKernels{AVX2: collectGradient4AVX2, AVX512: collectGradient4AVX512},
	},
}

var (
	largeOutput = [][]float64{
		{1, 1, 1, 1, 1, 0},
		{0, pointP, -pointP, pointQ, -pointQ, 0},
		{0, squareP, squareP, squareQ, squareQ, 0},
		{0, pointP * squareP, -pointP * squareP, pointQ * squareQ, -pointQ * squareQ, 1},
	}
	largeFilter = [][]float64{
		{weight0, 0, 0},
		{weightP, weightP * pointP, weightP * squareP},
		{weightP, -weightP * pointP, weightP * squareP},
		{weightQ, weightQ * pointQ, weightQ * squareQ},
		{weightQ, -weightQ * pointQ, weightQ * squareQ},
		{0, 0, 1},
	}
)

func transposedMatrix(m [][]float64) [][]float64 {
	t := make([][]float64, len(m[0]))
	for i := range t {
		for j := range m {
			t[i] = append(t[i], m[j][i])
		}
	}
	return t
}
