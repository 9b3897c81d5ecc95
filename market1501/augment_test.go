package market1501

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// drawAll are the variations of many images of 64×32 pixels.
func drawAll(a Augmentation, n int) []variation {
	random, all := rand.NewPCG(1, 2), make([]variation, n)
	for i := range all {
		all[i] = a.draw(64, 32, random)
	}
	return all
}

// TestErasedRectangles: as often as asked for, within the image and within the bounds of area and aspect, which
// rounding to whole pixels stretches by half a pixel a side; and everywhere. Of 20,000 images, half are 10,000 with a
// standard deviation of 71.
func TestErasedRectangles(t *testing.T) {
	const n = 20_000
	erased := 0
	var touched [64][32]bool
	for _, v := range drawAll(Augmentation{Erasing: 0.5}, n) {
		r := v.erased
		if r == (rectangle{}) {
			continue
		}
		erased++
		h, w := float64(r.height), float64(r.width)
		if (h+0.5)*(w+0.5) < leastErased*64*32 || (h-0.5)*(w-0.5) > mostErased*64*32 ||
			(h+0.5)/(w-0.5) < flattest || (h-0.5)/(w+0.5) > 1/flattest {
			t.Fatalf("a rectangle of %d×%d", r.height, r.width)
		}
		if r.y < 0 || r.x < 0 || r.y+r.height > 64 || r.x+r.width > 32 {
			t.Fatalf("a rectangle of %d×%d at %d, %d", r.height, r.width, r.y, r.x)
		}
		for y := range r.height {
			for x := range r.width {
				touched[r.y+y][r.x+x] = true
			}
		}
	}
	if math.Abs(float64(erased)-n/2) > 5*71 {
		t.Errorf("%d of %d erased", erased, n)
	}
	for y, row := range touched {
		if x := slices.Index(row[:], false); x >= 0 {
			t.Errorf("%d, %d is never erased", y, x)
		}
	}
	if got := drawErased(1, 1, rand.NewPCG(1, 2)); got != (rectangle{}) {
		t.Errorf("of a single pixel, %v is erased", got)
	}
}

// TestPadCropReachesEverywhere: all 49 places that three pixels of padding give, equally often: of 20,000 images 408
// each with a standard deviation of 20.
func TestPadCropReachesEverywhere(t *testing.T) {
	counts := map[[2]int]int{}
	for _, v := range drawAll(Augmentation{PadCrop: 3}, 20_000) {
		if v.erased != (rectangle{}) {
			t.Fatalf("erased, too: %+v", v)
		}
		counts[[2]int{v.dy, v.dx}]++
	}
	if len(counts) != 49 {
		t.Errorf("%d places", len(counts))
	}
	for at, n := range counts {
		if max(at[0], -at[0], at[1], -at[1]) > 3 || math.Abs(float64(n)-20_000./49) > 5*20 {
			t.Errorf("%v is drawn %d times", at, n)
		}
	}
}

// TestVariedImage: what is cut out of the padded image, which is mirrored before; black where the padding is, and the
// mean where something is erased.
func TestVariedImage(t *testing.T) {
	images := numbered(t, 1)
	b, err := NewEvalBatcher(images, 1)
	if err != nil {
		t.Fatal(err)
	}
	black := func(c int) float64 { return normalised(0, c) }
	for _, mirrored := range []bool{false, true} {
		at := func(y, x, c int) float64 {
			if mirrored {
				x = 2 - x
			}
			return normalised(images.Pixels(0)[(y*3+x)*3+c], c)
		}
		dst := make([]float32, 18)
		b.fillVaried(dst, images.Pixels(0), mirrored, variation{dy: 1, dx: -1, erased: rectangle{0, 2, 2, 1}})
		for c := range 3 {
			want := []float64{black(c), at(1, 0, c), 0, black(c), black(c), 0}
			for i, v := range want {
				if got := float64(dst[i*3+c]); math.Abs(got-v) > 1e-6 {
					t.Errorf("mirrored %v: pixel %d, channel %d is %v, want %v", mirrored, i, c, got, v)
				}
			}
		}
	}
}

// TestAugmentedBatches: an image is varied anew in every epoch, and a batch is the same whatever was asked before.
func TestAugmentedBatches(t *testing.T) {
	const size = 16 * 8 * 3
	images, err := NewImages(16, 8, make([]Entry, 4), slices.Repeat([]byte{200}, 4*size))
	if err != nil {
		t.Fatal(err)
	}
	fill := func(seed uint64, epoch int, before ...int) []float32 {
		b, err := NewTrainBatcher(images, Training{
			Batch: 4, Seed: seed, Augmentation: Augmentation{Erasing: 1, PadCrop: 2},
		})
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]float32, 4*size)
		for _, e := range before {
			b.Fill(dst, nil, e, 0)
		}
		b.Fill(dst, nil, epoch, 0)
		return dst
	}
	first := fill(1, 0)
	if !slices.Equal(first, fill(1, 0, 3, 1)) {
		t.Error("another batch after others")
	}
	if slices.Equal(first, fill(1, 1)) || slices.Equal(first, fill(2, 0)) {
		t.Error("the same in another epoch, or with another seed")
	}
	if slices.Equal(first[:size], first[size:2*size]) {
		t.Error("two images of a batch are varied alike")
	}
	if !slices.Contains(first, 0) {
		t.Error("nothing is erased")
	}
}
