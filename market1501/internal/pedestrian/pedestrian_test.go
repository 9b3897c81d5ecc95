package pedestrian

import (
	"image"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func chance(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// area is what an outline covers when it is painted white on black.
func area(outline []point) float64 {
	c := newCanvas(64, 128)
	c.fill(outline, 1, plain(rgb{1, 1, 1}))
	sum := 0.0
	for _, p := range c.pix {
		sum += float64(p[0])
	}
	return sum
}

func TestFillCoversOutline(t *testing.T) {
	at := point{30.3, 60.7}
	for _, test := range []struct {
		name    string
		outline []point
		want    float64
	}{
		{"box", box(at, 10.25, 20.5), 4 * 10.25 * 20.5},
		{"ellipse", ellipse(at, 15, 25), math.Pi * 15 * 25},
		{"capsule", capsule(point{20, 40}, point{40, 80}, 6, 6), math.Pi*36 + 12*math.Hypot(20, 40)},
		{"half outside", box(point{0, 64}, 10, 10), 200},
		{"outside", box(point{-50, 64}, 10, 10), 0},
		{"wider than the image", box(point{32, 64}, 1000, 1000), 64 * 128},
	} {
		// 2 %: a circle of 24 or 16 corners is that much smaller than a circle.
		if got := area(test.outline); math.Abs(got-test.want) > 0.02*test.want {
			t.Errorf("%s covers %.1f pixels, want %.1f", test.name, got, test.want)
		}
	}
}

func TestOpacityBlends(t *testing.T) {
	c := newCanvas(2, 2)
	c.cover(plain(rgb{1, 0, 0}))
	c.fill(box(point{1, 1}, 5, 5), 0.25, plain(rgb{0, 1, 0}))
	if got := c.pix[3]; got != (rgb{0.75, 0.25, 0}) {
		t.Errorf("a quarter of green on red is %v", got)
	}
}

func TestTextureIsSmoothNoise(t *testing.T) {
	low, high := float32(1), float32(0)
	for i := range 4000 {
		x, y := float32(i)*0.37-500, float32(i)*0.11-200
		v := texture(9, x, y)
		low, high = min(low, v), max(high, v)
		// The steepest slope of the interpolation is 1.5 per unit and axis.
		if d := abs(texture(9, x+0.01, y) - v); d > 0.016 {
			t.Fatalf("texture jumps by %v at %v, %v", d, x, y)
		}
	}
	if low < 0 || high > 1 || low > 0.1 || high < 0.9 {
		t.Errorf("texture is within [%v, %v]", low, high)
	}
}

// take is a copy of a photograph of identity id.
func take(id uint64, camera int, framing Framing, shot uint64) []byte {
	ph := NewPhotographer(64, 128)
	img, _ := ph.Take(NewPerson(chance(id)), NewCamera(camera, chance(uint64(camera))), framing, chance(shot))
	return img.(*image.RGBA).Pix
}

func TestTakeIsReproducible(t *testing.T) {
	first := take(1, 2, Whole, 3)
	for what, other := range map[string][]byte{
		"person":  take(2, 2, Whole, 3),
		"camera":  take(1, 3, Whole, 3),
		"framing": take(1, 2, Poor, 3),
		"shot":    take(1, 2, Whole, 4),
	} {
		if slices.Equal(first, other) {
			t.Errorf("another %s gives the same photograph", what)
		}
	}
	ph := NewPhotographer(64, 128)
	ph.Take(NewPerson(chance(8)), NewCamera(0, chance(0)), Whole, chance(9)) // leaves nothing for the next
	img, _ := ph.Take(NewPerson(chance(1)), NewCamera(2, chance(2)), Whole, chance(3))
	if !slices.Equal(first, img.(*image.RGBA).Pix) {
		t.Error("a photograph depends on the one before it")
	}
}

// A person stands in the middle: there the photographs of two people in the same
// shot differ more than at the edge.
func TestPersonFillsTheFrame(t *testing.T) {
	var inside, outside float64
	for i := range uint64(40) {
		a, b := take(2*i, int(i%Cameras), Whole, i), take(2*i+1, int(i%Cameras), Whole, i)
		for k := range a {
			x := k / 4 % 64
			d := math.Abs(float64(a[k]) - float64(b[k]))
			if x >= 22 && x < 42 {
				inside += d / 20
			} else if x < 4 || x >= 60 {
				outside += d / 8
			}
		}
	}
	if inside < 4*outside {
		t.Errorf("people change the middle by %.0f and the edge by %.0f", inside, outside)
	}
}

func TestPeopleDiffer(t *testing.T) {
	seen := map[Person]bool{}
	for i := range uint64(2000) {
		p := *NewPerson(chance(i))
		if seen[p] {
			t.Fatalf("person %d is somebody else", i)
		}
		seen[p] = true
		if contrast(p.top, p.second) <= 0.35 {
			t.Errorf("person %d: the pattern cannot be seen", i)
		}
	}
}
