package market1501

import (
	"math"
	"slices"
	"testing"
)

// numbered makes images of 2×3 pixels; byte k of image i is 10·i + k.
func numbered(t testing.TB, n int) *Images {
	t.Helper()
	const size = 2 * 3 * 3
	entries, pix := make([]Entry, n), make([]byte, n*size)
	for i := range entries {
		entries[i] = Entry{PID: int32(100 + i), CamID: 1, Label: int32(i)}
		for k := range size {
			pix[i*size+k] = byte(10*i + k)
		}
	}
	images, err := NewImages(2, 3, entries, pix)
	if err != nil {
		t.Fatal(err)
	}
	return images
}

func TestNewImagesRefuses(t *testing.T) {
	if _, err := NewImages(2, 2, make([]Entry, 1), make([]byte, 11)); err == nil {
		t.Error("11 bytes for 12 passed")
	}
}

func TestTrainBatcherCoversEveryEpoch(t *testing.T) {
	for _, test := range []struct{ images, size, batches, seen int }{
		{10, 5, 2, 10}, {11, 4, 3, 11}, {9, 4, 2, 8}, {3, 64, 1, 3}, {2, 2, 1, 2},
	} {
		b, err := NewTrainBatcher(numbered(t, test.images), Training{Batch: test.size, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		if b.Batches() != test.batches {
			t.Errorf("%d images in batches of %d: %d batches, want %d",
				test.images, test.size, b.Batches(), test.batches)
		}
		for epoch := range 3 {
			var seen []int32
			for batch := range b.Batches() {
				seen = append(seen, b.Indices(epoch, batch)...)
			}
			slices.Sort(seen)
			if len(slices.Compact(seen)) != test.seen {
				t.Errorf("%d images in batches of %d: epoch %d shows %v", test.images, test.size, epoch, seen)
			}
		}
	}
}

func TestBatcherRefuses(t *testing.T) {
	if _, err := NewTrainBatcher(numbered(t, 1), Training{Batch: 8, Seed: 0}); err == nil {
		t.Error("training on one image")
	}
	if _, err := NewTrainBatcher(numbered(t, 4), Training{Batch: 1, Seed: 0}); err == nil {
		t.Error("training with batches of one")
	}
	if _, err := NewEvalBatcher(numbered(t, 4), 0); err == nil {
		t.Error("batches of none")
	}
}

// What a batch holds does not depend on what was asked before.
func TestBatchIsPureFunctionOfPosition(t *testing.T) {
	images := numbered(t, 11)
	fill := func(b *Batcher, epoch, batch int) ([]float32, []int32) {
		dst, labels := make([]float32, 4*18), make([]int32, 4)
		n := b.Fill(dst, labels, epoch, batch)
		return dst[:n*18], labels[:n]
	}
	straight, _ := NewTrainBatcher(images, Training{Batch: 4, Seed: 7})
	for epoch := range 3 {
		for batch := range straight.Batches() {
			fresh, _ := NewTrainBatcher(images, Training{Batch: 4, Seed: 7})
			fill(fresh, 2-epoch, 0)
			wantX, wantLabels := fill(straight, epoch, batch)
			gotX, gotLabels := fill(fresh, epoch, batch)
			if !slices.Equal(wantX, gotX) || !slices.Equal(wantLabels, gotLabels) {
				t.Errorf("epoch %d batch %d differs after a jump", epoch, batch)
			}
		}
	}
	other, _ := NewTrainBatcher(images, Training{Batch: 4, Seed: 8})
	if slices.Equal(slices.Clone(straight.Indices(0, 0)), other.Indices(0, 0)) &&
		slices.Equal(slices.Clone(straight.Indices(0, 1)), other.Indices(0, 1)) {
		t.Error("another seed gives the same order")
	}
	if first := slices.Clone(straight.Indices(0, 0)); slices.Equal(first, straight.Indices(1, 0)) {
		t.Error("another epoch gives the same order")
	}
}

// normalised is the definition in float64.
func normalised(v byte, c int) float64 {
	return (float64(v)/255 - float64(ImageNet.Mean[c])) / float64(ImageNet.Std[c])
}

func TestFillNormalisesAndMirrors(t *testing.T) {
	images := numbered(t, 8)
	b, err := NewTrainBatcher(images, Training{Batch: 8, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	dst, labels := make([]float32, 8*18), make([]int32, 8)
	mirroredOnce, straightOnce := false, false
	for epoch := range 4 {
		b.Fill(dst, labels, epoch, 0)
		for slot, i := range b.Indices(epoch, 0) {
			if labels[slot] != images.Label(int(i)) {
				t.Fatalf("label %d for image %d", labels[slot], i)
			}
			isMirrored := mirrored(3, epoch, i)
			mirroredOnce = mirroredOnce || isMirrored
			straightOnce = straightOnce || !isMirrored
			for k, got := range dst[slot*18:][:18] {
				row, x, c := k/9, k%9/3, k%3
				if isMirrored {
					x = 2 - x
				}
				want := normalised(images.Pixels(int(i))[row*9+x*3+c], c)
				// Three float32 operations on values below 5.
				if math.Abs(float64(got)-want) > 5*3*0x1p-24 {
					t.Fatalf("epoch %d image %d value %d is %v, want %v", epoch, i, k, got, want)
				}
			}
		}
	}
	if !mirroredOnce || !straightOnce {
		t.Error("32 images were not both mirrored and not")
	}
}

func TestMirroredIsFair(t *testing.T) {
	const n = 100_000
	for seed := range uint64(3) {
		count, agree := 0, 0
		for i := range int32(n) {
			if mirrored(seed, 5, i) {
				count++
			}
			if mirrored(seed, 5, i) == mirrored(seed, 6, i) {
				agree++
			}
		}
		// Six standard deviations of a fair coin.
		bound := 6 * math.Sqrt(n) / 2
		if math.Abs(float64(count)-n/2) > bound || math.Abs(float64(agree)-n/2) > bound {
			t.Errorf("seed %d: %d of %d mirrored, %d as in the next epoch", seed, count, n, agree)
		}
	}
}

func TestEvalBatcherKeepsOrder(t *testing.T) {
	images := numbered(t, 5)
	b, err := NewEvalBatcher(images, 2)
	if err != nil {
		t.Fatal(err)
	}
	if b.Batches() != 3 {
		t.Fatalf("%d batches, want 3: evaluation keeps a last single image", b.Batches())
	}
	dst := make([]float32, 2*18)
	next := 0
	for batch := range b.Batches() {
		for slot := range b.Fill(dst, nil, 0, batch) {
			for k, got := range dst[slot*18:][:18] {
				if want := b.table[k%3][images.Pixels(next)[k]]; got != want {
					t.Fatalf("image %d value %d is %v, want %v", next, k, got, want)
				}
			}
			next++
		}
	}
	if next != 5 {
		t.Errorf("%d images, want 5", next)
	}
}

func TestMirroredEvalBatcher(t *testing.T) {
	b, err := NewEvalBatcher(numbered(t, 3), 3)
	if err != nil {
		t.Fatal(err)
	}
	straight, mirrored := make([]float32, 3*18), make([]float32, 3*18)
	if b.Mirrored().Fill(mirrored, nil, 0, 0) != 3 || b.Fill(straight, nil, 0, 0) != 3 {
		t.Fatal("not all images")
	}
	for k, got := range mirrored {
		row, x, c := k/9, k%9/3, k%3
		if want := straight[row*9+(2-x)*3+c]; got != want {
			t.Errorf("value %d is %v, want %v", k, got, want)
		}
	}
}

func TestFillAllocatesNothing(t *testing.T) {
	b, err := NewTrainBatcher(numbered(t, 8), Training{
		Batch: 4, Seed: 3, Augmentation: Augmentation{Erasing: 0.5, PadCrop: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	dst, labels, epoch := make([]float32, 4*18), make([]int32, 4), 0
	if n := testing.AllocsPerRun(20, func() {
		b.Fill(dst, labels, epoch, 0)
		b.Fill(dst, labels, epoch, 1)
		epoch++
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkFill(b *testing.B) {
	const n, h, w = 64, 256, 128
	images, err := NewImages(h, w, make([]Entry, n), make([]byte, n*h*w*3))
	if err != nil {
		b.Fatal(err)
	}
	batcher, err := NewTrainBatcher(images, Training{Batch: n, Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	dst, labels := make([]float32, n*h*w*3), make([]int32, n)
	for i := 0; b.Loop(); i++ {
		batcher.Fill(dst, labels, i, 0)
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "img/s")
}

// TestBatcherSees: another normalisation, and the image turned, with the mirror image before that.
func TestBatcherSees(t *testing.T) {
	images := numbered(t, 1)
	b, err := NewEvalBatcher(images, 1)
	if err != nil {
		t.Fatal(err)
	}
	size := images.Height * images.Width * 3
	plain, turned := make([]float32, size), make([]float32, size)
	b.See(View{Mean: [3]float32{0.5, 0.25, 0}, Std: [3]float32{0.5, 0.25, 1}})
	b.Fill(plain, nil, 0, 0)
	for i, v := range images.Pixels(0) {
		x, c := float64(v)/255, i%3
		want := []float64{2*x - 1, 4*x - 1, x}[c]
		if math.Abs(float64(plain[i])-want) > 1e-6 {
			t.Fatalf("value %d is %g, not %g", i, plain[i], want)
		}
	}
	mirrored := b.Mirrored()
	for name, pair := range map[string][2]*Batcher{"as it is": {b, b}, "mirrored": {mirrored, b.Mirrored()}} {
		pair[0].Fill(plain, nil, 0, 0)
		pair[1].See(View{Mean: [3]float32{0.5, 0.25, 0}, Std: [3]float32{0.5, 0.25, 1}, Turned: true})
		pair[1].Fill(turned, nil, 0, 0)
		for i := range plain {
			if at := size - 3 - i/3*3 + i%3; turned[at] != plain[i] {
				t.Fatalf("%s: value %d is not at %d", name, i, at)
			}
		}
	}
}
