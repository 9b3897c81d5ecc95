package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// spreadTransforms and collectTransforms are all transforms, with the size of their tiles.
var (
	spreadTransforms = []struct {
		name      string
		transform *tileTransform
		size      int
	}{
		{"large input", &largeForm.input, 6}, {"large output gradient", &largeForm.outputGradient, 4}, {"large filter", &largeForm.filter, 3},
		{"small input", &smallForm.input, 4}, {"small filter", &smallForm.filter, 3},
	}
	collectTransforms = []struct {
		name      string
		transform *tileTransform
		size      int
	}{
		{"large output", &largeForm.output, 4}, {"large filter gradient", &largeForm.filterGradient, 3}, {"small output", &smallForm.output, 2},
	}
)

// transformTolerance bounds how far the assembly, which factors the matrices and fuses operations, may be from the plain
// sums: a transformed value has at most 36 terms, whose weights multiply to at most 12 for the input and 12 for the
// output; sumTolerance is for weights of one.
func transformTolerance() float64 { return 12 * sumTolerance(maxPositions) }

// checkSpread compares one transform of a tile of n channels with the portable loop. The tile lies in an image that ends
// where its existing pixels do.
func checkSpread(t *testing.T, rng *rand.Rand, which, n int, rows, cols uint, special float32) {
	t.Helper()
	s := spreadTransforms[which]
	if s.size == 3 {
		rows, cols = allLines, allLines
	}
	col := n + rng.IntN(3)
	row := s.size*col + rng.IntN(3)
	first, last := -1, 0
	for i := range s.size {
		for j := range s.size {
			if rows>>i&1 == 1 && cols>>j&1 == 1 {
				if first < 0 {
					first = i*row + j*col
				}
				last = i*row + j*col + n
			}
		}
	}
	src := tileSource{first: -max(first, 0), row: row, col: col, rows: rows, cols: cols}
	src.data = guarded(t, rng, max(last-max(first, 0), 1))
	if special != 0 {
		src.data[rng.IntN(len(src.data))] = special
	}
	step := n + rng.IntN(5)
	got, want := guarded(t, rng, (maxPositions-1)*step+n), make([]float32, (maxPositions-1)*step+n)
	copy(want, got)
	s.transform.spreadTile(got, step, &src, n)
	s.transform.spreadGeneric(want, step, &src, n)
	compareTransforms(t, fmt.Sprintf("%s, %d channels, rows %b, columns %b", s.name, n, rows, cols), got, want)
}

// compareTransforms lets a special value of the reference be any special value: infinities meet in another order.
func compareTransforms(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i, w := range want {
		if special := float64(w); math.IsNaN(special) || math.IsInf(special, 0) {
			if g := float64(got[i]); !math.IsNaN(g) && !math.IsInf(g, 0) {
				t.Fatalf("%s: [%d] = %g, want %g", what, i, g, w)
			}
			continue
		}
		if !near(float64(got[i]), float64(w), transformTolerance()) {
			t.Fatalf("%s: [%d] = %g, want %g", what, i, got[i], w)
		}
	}
}

// checkCollect compares one transform back to a tile with the portable loop.
func checkCollect(t *testing.T, rng *rand.Rand, which, n, rows, cols, flags int, special float32) {
	t.Helper()
	s := collectTransforms[which]
	step := n + rng.IntN(5)
	src := guarded(t, rng, (maxPositions-1)*step+n)
	if special != 0 {
		src[rng.IntN(len(src))] = special
		flags &^= flagReLU // would make a number of one infinity
	}
	col := n + rng.IntN(3)
	row := s.size*col + rng.IntN(3)
	size := (rows-1)*row + (cols-1)*col + n
	got := tileTarget{data: guarded(t, rng, size), row: row, col: col, rows: rows, cols: cols, flags: flags}
	if flags&flagBias != 0 {
		got.bias = guarded(t, rng, n)
	}
	if flags&flagAdd != 0 {
		got.add = guarded(t, rng, size)
	}
	want := got
	want.data = append([]float32(nil), got.data...)
	if flags&flagAdd != 0 && rng.IntN(2) == 0 { // in place
		got.add, want.add = got.data, want.data
	}
	s.transform.collectTile(&got, src, step, n)
	s.transform.collectGeneric(&want, src, step, n)
	compareTransforms(t, fmt.Sprintf("%s, %d channels, %d×%d, flags %b", s.name, n, rows, cols, flags), got.data, want.data)
}

// maxPositions is the number of positions of the largest form.
const maxPositions = maxLine * maxLine

var specials = []float32{0, float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))}

func TestWinogradTransforms(t *testing.T) {
	forEachISA(t, func(t *testing.T) {
		if active == Generic {
			t.Skip("nothing to compare")
		}
		rng := rand.New(rand.NewPCG(41, 42))
		for n := 1; n <= 50; n++ {
			for _, special := range specials {
				for which := range spreadTransforms {
					checkSpread(t, rng, which, n, allLines, allLines, special)
					checkSpread(t, rng, which, n, uint(rng.IntN(allLines+1)), uint(rng.IntN(allLines+1)), special)
				}
				for which, s := range collectTransforms {
					flags := rng.IntN(flagReLU<<1) &^ flagAccumulate
					checkCollect(t, rng, which, n, s.size, s.size, flags, special)
					checkCollect(t, rng, which, n, 1+rng.IntN(s.size), 1+rng.IntN(s.size), flags, special)
				}
			}
		}
	})
}

func FuzzWinogradTransforms(f *testing.F) {
	f.Add(uint64(1), uint8(0), uint8(16), uint8(0x3e), uint8(0x1f), uint8(0), uint8(0))
	f.Add(uint64(2), uint8(1), uint8(33), uint8(0x0f), uint8(0x03), uint8(14), uint8(1))
	f.Fuzz(func(t *testing.T, seed uint64, which, n, rows, cols, flags, special uint8) {
		for isa := AVX2; isa <= Detected(); isa++ {
			setISA(t, isa)
			rng := rand.New(rand.NewPCG(seed, 0))
			value := specials[int(special)%len(specials)]
			checkSpread(t, rng, int(which)%len(spreadTransforms), 1+int(n), uint(rows)&allLines, uint(cols)&allLines, value)
			at := int(which) % len(collectTransforms)
			size := collectTransforms[at].size
			checkCollect(t, rng, at, 1+int(n), 1+int(rows)%size, 1+int(cols)%size, int(flags)%(flagReLU<<1)&^flagAccumulate, value)
		}
	})
}

// The transforms are those of Winograd's identity: a tile of outputs, and the gradient of the filter, by definition.
func TestWinogradIdentity(t *testing.T) {
	forEachISA(t, func(t *testing.T) {
		for _, form := range []*winogradForm{&smallForm, &largeForm} {
			checkIdentity(t, form)
		}
	})
}

func checkIdentity(t *testing.T, form *winogradForm) {
	const n = 19
	rng, positions, out := rand.New(rand.NewPCG(43, 44)), form.positions(), form.tile*form.tile
	whole := func(data []float32, width int) *tileSource {
		return &tileSource{data: data, row: width * n, col: n, rows: allLines, cols: allLines}
	}
	d, g, dy := guarded(t, rng, positions*n), guarded(t, rng, 9*n), guarded(t, rng, out*n)
	inputs, filters, gradients := make([]float32, positions*n), make([]float32, positions*n), make([]float32, positions*n)
	form.input.spreadTile(inputs, n, whole(d, form.line), n)
	form.filter.spreadTile(filters, n, whole(g, 3), n)
	wantY, wantG := make([]float64, out*n), make([]float64, 9*n)
	for i := range out * 9 * n {
		c, tap, at := i%n, i/n%9, i/n/9
		x := float64(d[((at/form.tile+tap/3)*form.line+at%form.tile+tap%3)*n+c])
		wantY[at*n+c] += x * float64(g[tap*n+c])
		wantG[tap*n+c] += x * float64(dy[at*n+c])
	}
	y := make([]float32, out*n)
	for i, v := range inputs {
		filters[i] *= v
	}
	form.output.collectTile(&tileTarget{data: y, row: form.tile * n, col: n, rows: form.tile, cols: form.tile}, filters, n, n)
	compare(t, "y", y, wantY, winogradFactor*sumTolerance(9))
	if form.outputGradient.matrix == nil {
		return
	}
	dg := make([]float32, 9*n)
	form.outputGradient.spreadTile(gradients, n, whole(dy, form.tile), n)
	for i, v := range inputs {
		gradients[i] *= v
	}
	form.filterGradient.collectTile(&tileTarget{data: dg, row: 3 * n, col: n, rows: 3, cols: 3}, gradients, n, n)
	compare(t, "dg", dg, wantG, winogradFactor*sumTolerance(out))
}

// winogradFactor is how much larger than the bound for a direct sum that of Winograd's forms is. For normal values and whole
// tiles their errors are 2 times larger in the root mean square; the bound is on the largest of many errors, which sit in
// the corners of a tile with the largest weights, and in tiles that are all padding but for a pixel, where large terms
// cancel.
const winogradFactor = 8

// winogradShapes cover maps that are no multiple of a tile, paddings of 0 to 2, groups, channels that fill no vector, and
// more than one block of the depth; with the number of images.
var winogradShapes = []struct {
	n int
	s ConvShape
}{
	{3, ConvShape{H: 29, W: 13, C: 50, OutC: 70, KH: 3, KW: 3, SH: 1, SW: 1, Groups: 1}},
	{13, ConvShape{H: 8, W: 4, C: 64, OutC: 48, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1}},
	{6, ConvShape{H: 9, W: 7, C: 2 * 72, OutC: 2 * 51, KH: 3, KW: 3, SH: 1, SW: 1, PH: 2, PW: 2, Groups: 2}},
	{2, ConvShape{H: 10, W: 17, C: 24, OutC: 33, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, Groups: 1}},
	{9, ConvShape{H: 5, W: 9, C: 330, OutC: 45, KH: 3, KW: 3, SH: 1, SW: 1, PW: 1, Groups: 1}},
	{7, ConvShape{H: 9, W: 7, C: 3 * 48, OutC: 3 * 64, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 3}},
	{25, ConvShape{H: 3, W: 3, C: 64, OutC: 64, KH: 3, KW: 3, SH: 1, SW: 1, Groups: 1}},
}

func TestWinogradConv(t *testing.T) {
	shapes := winogradShapes
	for _, shape := range winogradShapes {
		shape.s.Normalised = true
		shapes = append(shapes, shape)
	}
	for _, shape := range shapes {
		t.Run(fmt.Sprintf("%s/normalised=%t", convName(shape.s), shape.s.Normalised), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(45, 46))
			c := newConvCase(t, rng, shape.s, shape.n, 2)
			c.slack = winogradFactor
			c.multiply()
			forEachISA(t, func(t *testing.T) {
				c.check(t, rng)
				if !c.c.tiled.data.pays() || !c.c.tiled.weights.pays() {
					t.Error("not in Winograd's form")
				}
				if shape.s.Normalised && c.c.tiled.forward.grid.winogradForm != &largeForm {
					t.Error("forward not in the large form")
				}
			})
		})
	}
}

func FuzzWinogradConv(f *testing.F) {
	f.Add(uint64(1), uint8(5), uint8(6), uint8(30), uint8(40), uint8(1), uint8(1), uint8(1), uint8(2))
	f.Add(uint64(2), uint8(0), uint8(3), uint8(1), uint8(2), uint8(2), uint8(0), uint8(0), uint8(0))
	f.Fuzz(func(t *testing.T, seed uint64, h, w, in, out, ph, pw, groups, n uint8) {
		g := 1 + int(groups)%3
		s := ConvShape{
			H: 1 + int(h)%11, W: 1 + int(w)%11, C: g * (1 + int(in)%70), OutC: g * (1 + int(out)%70), KH: 3, KW: 3,
			SH: 1, SW: 1, PH: int(ph) % 4, PW: int(pw) % 4, Groups: g, Normalised: seed%2 == 0,
		}
		if s.validate() != nil || s.Depthwise() {
			t.Skip()
		}
		rng := rand.New(rand.NewPCG(seed, 0))
		c := newConvCase(t, rng, s, 1+int(n)%3, 2)
		c.c.tiled = c.c.winogradForms(0, 0, 0)
		c.slack = winogradFactor
		c.multiply()
		for isa := Generic; isa <= Detected(); isa++ {
			setISA(t, isa)
			c.check(t, rng)
		}
	})
}

// BenchmarkWinograd compares Winograd's forms with the direct convolution, for layers of ResNet50, VGG16 and HRNet-w32.
func BenchmarkWinograd(b *testing.B) {
	for _, layer := range []struct{ n, h, in, out int }{
		{8, 64, 64, 64}, {8, 32, 128, 128}, {32, 16, 256, 256}, {32, 8, 512, 512},
		{4, 128, 64, 128}, {8, 64, 128, 256}, {8, 32, 512, 512},
		{8, 64, 32, 32}, {32, 32, 64, 64}, {32, 16, 128, 128}, {32, 8, 256, 256},
	} {
		s := ConvShape{H: layer.h, W: layer.h / 2, C: layer.in, OutC: layer.out, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1}
		for name, make := range map[string]func(ConvShape) (*Conv, error){"direct": NewDirectConv, "winograd": NewConv} {
			c, err := make(s)
			if err != nil {
				b.Fatal(err)
			}
			benchmarkDirections(b, name+"/"+convName(s), c, layer.n, 1)
		}
	}
}
