package conv

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/isa"
)

// winogradFormsByName are all forms, with the size of their filters.
var winogradFormsByName = []struct {
	name   string
	kh, kw int
	*winogradForm
}{
	{"small", 3, 3, smallForm}, {"large", 3, 3, largeForm}, {"5x5", 5, 5, form5x5},
	{"1x7", 1, 7, form1x7}, {"7x1", 7, 1, form7x1},
}

// namedTransform is one of a form's transforms; a filter is always whole.
type namedTransform struct {
	name  string
	whole bool
	*tileTransform
}

// spreadTransforms and collectTransforms are all that assembly computes.
func spreadTransforms() (all []namedTransform) {
	for _, f := range winogradFormsByName {
		all = append(all,
			namedTransform{f.name + " input", false, &f.input}, namedTransform{f.name + " filter", true, &f.filter})
		if f.outputGradient.spread[isa.AVX2] != nil {
			all = append(all, namedTransform{f.name + " output gradient", false, &f.outputGradient})
		}
	}
	return all
}

func collectTransforms() (all []namedTransform) {
	for _, f := range winogradFormsByName {
		all = append(all, namedTransform{f.name + " output", false, &f.output})
		if f.filterGradient.collect[isa.AVX2] != nil {
			all = append(all, namedTransform{f.name + " filter gradient", false, &f.filterGradient})
		}
	}
	return all
}

// lines returns the rows and columns of a tile, before a transform or after it.
func (t *tileTransform) lines(after bool) (rows, cols int) {
	rows, cols = len(t.down[0]), len(t.across[0])
	if after {
		rows, cols = len(t.down), len(t.across)
	}
	if t.turned {
		rows, cols = cols, rows
	}
	return rows, cols
}

// transformTolerance bounds how far the assembly, which factors the matrices and fuses operations, may be from the
// plain sums: a transformed value has at most 36 terms, whose weights multiply to at most 12; sumTolerance is for
// weights of one.
func transformTolerance() float64 { return 12 * kerneltest.SumTolerance(36) }

// checkSpread compares one transform of a tile of n channels with the portable loop. The tile lies in an image that
// ends where its existing pixels do.
func checkSpread(t *testing.T, rng *rand.Rand, which, n int, rows, cols uint, special float32) {
	t.Helper()
	s := spreadTransforms()[which]
	if s.whole {
		rows, cols = allLines, allLines
	}
	high, wide := s.lines(false)
	col := n + rng.IntN(3)
	row := wide*col + rng.IntN(3)
	first, last := -1, 0
	for i := range high {
		for j := range wide {
			if rows>>i&1 == 1 && cols>>j&1 == 1 {
				if first < 0 {
					first = i*row + j*col
				}
				last = i*row + j*col + n
			}
		}
	}
	src := tileSource{first: -max(first, 0), row: row, col: col, rows: rows, cols: cols}
	src.data = kerneltest.Guarded(t, rng, max(last-max(first, 0), 1))
	if special != 0 {
		src.data[rng.IntN(len(src.data))] = special
	}
	step := n + rng.IntN(5)
	got, want := kerneltest.Guarded(t, rng, (maxPositions-1)*step+n), make([]float32, (maxPositions-1)*step+n)
	copy(want, got)
	s.spreadTile(got, step, src, n)
	if s.turned {
		src = src.turned()
	}
	s.spreadGeneric(want, step, &src, n)
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
		if !kerneltest.Near(float64(got[i]), float64(w), transformTolerance()) {
			t.Fatalf("%s: [%d] = %g, want %g", what, i, got[i], w)
		}
	}
}

// checkCollect compares one transform back to a tile with the portable loop.
func checkCollect(t *testing.T, rng *rand.Rand, which, n, rows, cols, flags int, special float32) {
	t.Helper()
	s := collectTransforms()[which]
	step := n + rng.IntN(5)
	src := kerneltest.Guarded(t, rng, (maxPositions-1)*step+n)
	if special != 0 {
		src[rng.IntN(len(src))] = special
		flags &^= flagReLU // would make a number of one infinity
	}
	col := n + rng.IntN(3)
	row := maxLine*col + rng.IntN(3)
	size := (rows-1)*row + (cols-1)*col + n
	got := tileTarget{data: kerneltest.Guarded(t, rng, size), row: row, col: col, rows: rows, cols: cols, flags: flags}
	if flags&flagBias != 0 {
		got.bias = kerneltest.Guarded(t, rng, n)
	}
	if flags&flagAdd != 0 {
		got.add = kerneltest.Guarded(t, rng, size)
	}
	want := got
	want.data = append([]float32(nil), got.data...)
	if flags&flagAdd != 0 && rng.IntN(2) == 0 { // in place
		got.add, want.add = got.data, want.data
	}
	s.collectTile(got, src, step, n)
	if s.turned {
		want = want.turned()
	}
	s.collectGeneric(&want, src, step, n)
	what := fmt.Sprintf("%s, %d channels, %d×%d, flags %b", s.name, n, rows, cols, flags)
	compareTransforms(t, what, got.data, want.data)
}

// maxPositions is the number of positions of the largest form.
const maxPositions = 36

var specials = []float32{0, float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))}

// tileFlags are the flags that a tile of outputs may have.
const tileFlags = flagBias | flagAdd | flagReLU

func TestWinogradTransforms(t *testing.T) {
	kerneltest.ForEachISA(t, func(t *testing.T) {
		if isa.Active() == isa.Generic {
			t.Skip("nothing to compare")
		}
		rng := rand.New(rand.NewPCG(41, 42))
		for n := 1; n <= 50; n++ {
			for _, special := range specials {
				for which := range spreadTransforms() {
					checkSpread(t, rng, which, n, allLines, allLines, special)
					checkSpread(t, rng, which, n, uint(rng.IntN(allLines+1)), uint(rng.IntN(allLines+1)), special)
				}
				for which, s := range collectTransforms() {
					flags := rng.Int() & tileFlags
					rows, cols := s.lines(true)
					checkCollect(t, rng, which, n, rows, cols, flags, special)
					checkCollect(t, rng, which, n, 1+rng.IntN(rows), 1+rng.IntN(cols), flags, special)
				}
			}
		}
	})
}

func FuzzWinogradTransforms(f *testing.F) {
	f.Add(uint64(1), uint8(0), uint8(16), uint8(0x3e), uint8(0x1f), uint8(0), uint8(0))
	f.Add(uint64(2), uint8(1), uint8(33), uint8(0x0f), uint8(0x03), uint8(14), uint8(1))
	f.Fuzz(func(t *testing.T, seed uint64, which, n, rows, cols, flags, special uint8) {
		for range kerneltest.Sets(isa.AVX2) {
			rng := rand.New(rand.NewPCG(seed, 0))
			value := specials[int(special)%len(specials)]
			at := int(which) % len(spreadTransforms())
			checkSpread(t, rng, at, 1+int(n), uint(rows)&allLines, uint(cols)&allLines, value)
			at = int(which) % len(collectTransforms())
			high, wide := collectTransforms()[at].lines(true)
			what := int(flags) & tileFlags
			checkCollect(t, rng, at, 1+int(n), 1+int(rows)%high, 1+int(cols)%wide, what, value)
		}
	})
}

// The transforms are those of Winograd's identity: a tile of outputs, and the gradient of the filter, by definition.
func TestWinogradIdentity(t *testing.T) {
	for _, form := range winogradFormsByName {
		t.Run(form.name, func(t *testing.T) {
			kerneltest.ForEachISA(t, func(t *testing.T) { checkIdentity(t, form.winogradForm, form.kh, form.kw) })
		})
	}
}

func checkIdentity(t *testing.T, form *winogradForm, kh, kw int) {
	const n = 19
	rng, taps, out := rand.New(rand.NewPCG(43, 44)), kh*kw, form.tileH*form.tileW
	width := form.tileW + kw - 1 // of the inputs
	whole := func(data []float32, width int) tileSource {
		return tileSource{data: data, row: width * n, col: n, rows: allLines, cols: allLines}
	}
	d, g, dy := kerneltest.Guarded(t, rng, form.positions*n), kerneltest.Guarded(t, rng, taps*n),
		kerneltest.Guarded(t, rng, out*n)
	transformed := func() []float32 { return make([]float32, form.positions*n) }
	inputs, filters, gradients := transformed(), transformed(), transformed()
	form.input.spreadTile(inputs, n, whole(d, width), n)
	form.filter.spreadTile(filters, n, whole(g, kw), n)
	wantY, wantG := make([]float64, out*n), make([]float64, taps*n)
	for i := range out * taps * n {
		c, tap, at := i%n, i/n%taps, i/n/taps
		x := float64(d[((at/form.tileW+tap/kw)*width+at%form.tileW+tap%kw)*n+c])
		wantY[at*n+c] += x * float64(g[tap*n+c])
		wantG[tap*n+c] += x * float64(dy[at*n+c])
	}
	y := make([]float32, out*n)
	for i, v := range inputs {
		filters[i] *= v
	}
	outputs := tileTarget{data: y, row: form.tileW * n, col: n, rows: form.tileH, cols: form.tileW}
	form.output.collectTile(outputs, filters, n, n)
	kerneltest.Compare(t, "y", y, wantY, winogradFactor*kerneltest.SumTolerance(taps))
	dg := make([]float32, taps*n)
	form.outputGradient.spreadTile(gradients, n, whole(dy, form.tileW), n)
	for i, v := range inputs {
		gradients[i] *= v
	}
	form.filterGradient.collectTile(tileTarget{data: dg, row: kw * n, col: n, rows: kh, cols: kw}, gradients, n, n)
	kerneltest.Compare(t, "dg", dg, wantG, winogradFactor*kerneltest.SumTolerance(out))
}

// winogradFactor is how much larger than the bound for a direct sum that of Winograd's forms is. For normal values and
// whole tiles their errors are 2 times larger in the root mean square; the bound is on the largest of many errors,
// which sit in the corners of a tile with the largest weights, and in tiles that are all padding but for a pixel, where
// large terms cancel.
const winogradFactor = 8

// winogradMixed is how many values of a tile are mixed by the transforms, in the largest of them: a result of few
// terms, or of none where a tap sees only padding, has the rounding errors of its neighbours in the tile.
const winogradMixed = 64

// winogradShapes cover maps that are no multiple of a tile, paddings of 0 to 2, groups, channels that fill no vector,
// and more than one block of the depth; with the number of images.
var winogradShapes = []struct {
	n int
	s Shape
}{
	{3, Shape{H: 29, W: 13, C: 50, OutC: 70, KH: 3, KW: 3, SH: 1, SW: 1, Groups: 1}},
	{13, Shape{H: 8, W: 4, C: 64, OutC: 48, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1}},
	{6, Shape{H: 9, W: 7, C: 2 * 72, OutC: 2 * 51, KH: 3, KW: 3, SH: 1, SW: 1, PH: 2, PW: 2, Groups: 2}},
	{2, Shape{H: 10, W: 17, C: 24, OutC: 33, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, Groups: 1}},
	{9, Shape{H: 5, W: 9, C: 330, OutC: 45, KH: 3, KW: 3, SH: 1, SW: 1, PW: 1, Groups: 1}},
	{7, Shape{H: 9, W: 7, C: 3 * 48, OutC: 3 * 64, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 3}},
	{25, Shape{H: 3, W: 3, C: 64, OutC: 64, KH: 3, KW: 3, SH: 1, SW: 1, Groups: 1}},
	{4, Shape{H: 11, W: 7, C: 50, OutC: 70, KH: 5, KW: 5, SH: 1, SW: 1, PH: 2, PW: 2, Groups: 1}},
	{5, Shape{H: 9, W: 8, C: 2 * 33, OutC: 2 * 24, KH: 5, KW: 5, SH: 1, SW: 1, PW: 1, Groups: 2}},
	{5, Shape{H: 7, W: 6, C: 50, OutC: 70, KH: 1, KW: 7, SH: 1, SW: 1, PW: 3, Groups: 1}},
	{9, Shape{H: 5, W: 9, C: 2 * 33, OutC: 2 * 24, KH: 1, KW: 7, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 2}},
	{5, Shape{H: 6, W: 7, C: 48, OutC: 32, KH: 7, KW: 1, SH: 1, SW: 1, PH: 3, Groups: 1}},
	{9, Shape{H: 9, W: 5, C: 33, OutC: 64, KH: 7, KW: 1, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1}},
}

func TestWinogradConv(t *testing.T) {
	shapes := winogradShapes
	for _, shape := range winogradShapes {
		shape.s.BeforeNorm = true
		shapes = append(shapes, shape)
	}
	for _, shape := range shapes {
		t.Run(fmt.Sprintf("%s/beforeNorm=%t", convName(shape.s), shape.s.BeforeNorm), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(45, 46))
			c := newConvCase(t, rng, shape.s, shape.n, 2)
			c.slack, c.mixed = winogradFactor, winogradMixed
			c.multiply()
			kerneltest.ForEachISA(t, func(t *testing.T) {
				c.check(t, rng)
				if !c.c.winograd.data.pays(c.n) || !c.c.winograd.weights.pays(c.n) {
					t.Error("not in Winograd's form")
				}
				forward, data := c.c.winograd.forward, c.c.winograd.data
				fast := forward.pays(c.n) && forward.grid.winogradForm == data.grid.winogradForm
				if shape.s.BeforeNorm && !fast {
					t.Error("forward pass not in the fast form")
				}
			})
		})
	}
}

func FuzzWinogradConv(f *testing.F) {
	f.Add(uint64(1), uint8(5), uint8(6), uint8(30), uint8(40), uint8(1), uint8(1), uint8(1), uint8(2))
	f.Add(uint64(2), uint8(0), uint8(3), uint8(1), uint8(2), uint8(2), uint8(0), uint8(0), uint8(0))
	f.Add(uint64(3), uint8(9), uint8(8), uint8(40), uint8(20), uint8(2), uint8(2), uint8(0), uint8(1))
	f.Add(uint64(4), uint8(8), uint8(9), uint8(20), uint8(40), uint8(3), uint8(3), uint8(1), uint8(1))
	f.Fuzz(func(t *testing.T, seed uint64, h, w, in, out, ph, pw, groups, n uint8) {
		g, form := 1+int(groups)%3, winogradFormsByName[seed%uint64(len(winogradFormsByName))]
		s := Shape{
			H: 1 + int(h)%11, W: 1 + int(w)%11, C: g * (1 + int(in)%70), OutC: g * (1 + int(out)%70),
			KH: form.kh, KW: form.kw, SH: 1, SW: 1,
			PH: int(ph) % 4, PW: int(pw) % 4, Groups: g, BeforeNorm: seed%2 == 0,
		}
		if s.validate() != nil || s.Depthwise() {
			t.Skip()
		}
		rng := rand.New(rand.NewPCG(seed, 0))
		c := newConvCase(t, rng, s, 1+int(n)%3, 2)
		c.c.winograd = c.c.winogradForms(0, 0, 0)
		c.slack, c.mixed = winogradFactor, winogradMixed
		c.multiply()
		for range kerneltest.Sets(isa.Generic) {
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
		s := Shape{
			H: layer.h, W: layer.h / 2, C: layer.in, OutC: layer.out,
			KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1,
		}
		constructors := map[string]func(Shape) (*Conv, error){"direct": newDirectConv, "winograd": New}
		for name, make := range constructors {
			c, err := make(s)
			if err != nil {
				b.Fatal(err)
			}
			benchmarkDirections(b, name+"/"+convName(s), c, layer.n, 1)
		}
	}
}
