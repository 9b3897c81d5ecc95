package market1501

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ofPeople makes images of 2×3 pixels, so many of each person.
func ofPeople(t *testing.T, counts ...int) *Images {
	t.Helper()
	var entries []Entry
	for person, n := range counts {
		for range n {
			entries = append(entries, Entry{PID: int32(person), CamID: 1, Label: int32(person)})
		}
	}
	images, err := NewImages(2, 3, entries, make([]byte, len(entries)*18))
	if err != nil {
		t.Fatal(err)
	}
	return images
}

// TestIdentitiesInBatches: a batch has four images each of as many people as it has room for, all of one person are
// different unless there are fewer, and an epoch has as many batches as Sampler.Batches says.
func TestIdentitiesInBatches(t *testing.T) {
	for _, test := range []struct {
		name             string
		people           []int // images of each
		size, batches    int
		repeated, absent bool // whether images are, in an epoch
	}{
		{"all alike", []int{4, 4, 4, 4, 4, 4}, 8, 3, false, false},
		{"all in all batches", []int{12, 12}, 8, 3, false, false},
		{"some left over", []int{5, 7, 6, 9, 4}, 8, 3, false, true},
		{"one with most of the images", []int{40, 4, 4, 4}, 8, 3, false, true},
		{"few of some", []int{1, 2, 3, 8, 1, 4}, 12, 2, true, true},
		{"one of each", []int{1, 1, 1, 1}, 16, 1, true, false},
		{"many", slices.Repeat([]int{17, 3, 28}, 30), 64, 22, true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			images := ofPeople(t, test.people...)
			b, err := NewTrainBatcher(images, Training{Batch: test.size, Seed: 3, Sampler: Identities})
			if err != nil {
				t.Fatal(err)
			}
			said := Identities.Batches(images.entries, test.size)
			if b.Batches() != test.batches || said != test.batches {
				t.Fatalf("%d batches, and %d by the sampler, want %d", b.Batches(), said, test.batches)
			}
			repeated, absent := false, false
			for epoch := range 5 {
				times := make([]int, images.Len())
				for batch := range b.Batches() {
					indices, count := b.Indices(epoch, batch), map[int32]int{}
					for _, i := range indices {
						times[i]++
						count[images.Label(int(i))]++
					}
					for _, n := range count {
						if n != ImagesOfIdentity {
							t.Fatalf("epoch %d, batch %d: %v images of people", epoch, batch, count)
						}
					}
					if len(indices) != test.size {
						t.Fatalf("epoch %d, batch %d: %d images", epoch, batch, len(indices))
					}
				}
				for i, n := range times {
					absent = absent || n == 0
					repeated = repeated || n > 1
					if n > 1 && test.people[images.Label(i)] >= ImagesOfIdentity {
						t.Errorf("epoch %d: image %d of several is there %d times", epoch, i, n)
					}
				}
			}
			if repeated != test.repeated || absent != test.absent {
				t.Errorf("images repeated %v, absent %v", repeated, absent)
			}
		})
	}
}

// TestPeopleMeet: any two people are in a batch together about equally often. 40 people of 8 images, 10 to a batch,
// choose 2 of 8 batches: a pair meets in a share 9/39 of the 2 batches of one of them, 0.46 times an epoch. Over 400
// epochs the standard deviation of a pair's count is 13; six of them are not to be expected among 780 pairs.
func TestPeopleMeet(t *testing.T) {
	const people, epochs = 40, 400
	images := ofPeople(t, slices.Repeat([]int{8}, people)...)
	b, err := NewTrainBatcher(images, Training{Batch: 40, Seed: 1, Sampler: Identities})
	if err != nil {
		t.Fatal(err)
	}
	var met [people][people]int
	for epoch := range epochs {
		for batch := range b.Batches() {
			var there []int32
			for _, i := range b.Indices(epoch, batch) {
				there = append(there, images.Label(int(i)))
			}
			slices.Sort(there)
			there = slices.Compact(there)
			for x, p := range there {
				for _, q := range there[x+1:] {
					met[p][q]++
				}
			}
		}
	}
	want := epochs * 2 * 9. / 39
	for p := range people {
		for q := p + 1; q < people; q++ {
			if d := math.Abs(float64(met[p][q]) - want); d > 6*13 {
				t.Errorf("%d and %d have met %d times, expected %.0f", p, q, met[p][q], want)
			}
		}
	}
}

// TestIdentitiesArePureFunctionOfPosition: what a batch holds depends on the seed, not on what was asked before.
func TestIdentitiesArePureFunctionOfPosition(t *testing.T) {
	images := ofPeople(t, 9, 3, 1, 8, 4, 12)
	batcher := func(seed uint64) *Batcher {
		b, err := NewTrainBatcher(images, Training{Batch: 8, Seed: seed, Sampler: Identities})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	straight := batcher(7)
	for epoch := range 3 {
		for batch := range straight.Batches() {
			want := slices.Clone(straight.Indices(epoch, batch))
			fresh := batcher(7)
			fresh.Indices(2-epoch, 0)
			if diff := cmp.Diff(want, fresh.Indices(epoch, batch)); diff != "" {
				t.Errorf("epoch %d, batch %d after a jump (-straight +jumped):\n%s", epoch, batch, diff)
			}
			if cmp.Equal(want, batcher(8).Indices(epoch, batch)) {
				t.Errorf("epoch %d, batch %d: another seed gives the same", epoch, batch)
			}
			if cmp.Equal(want, fresh.Indices(epoch+1, batch)) {
				t.Errorf("epoch %d, batch %d: the next epoch gives the same", epoch, batch)
			}
		}
	}
}

// TestRepeatedImagesAreDrawnAnew: of the four times that a batch has somebody's only image, some are mirrored.
func TestRepeatedImagesAreDrawnAnew(t *testing.T) {
	entries := []Entry{{Label: 0}, {Label: 1}}
	pix := make([]byte, 2*18)
	for i := range pix {
		pix[i] = byte(i)
	}
	images, err := NewImages(2, 3, entries, pix)
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewTrainBatcher(images, Training{Batch: 8, Seed: 1, Sampler: Identities})
	if err != nil {
		t.Fatal(err)
	}
	seen, dst := map[[18]float32]bool{}, make([]float32, 8*18)
	for epoch := range 3 {
		b.Fill(dst, nil, epoch, 0)
		for slot := range 4 {
			seen[[18]float32(dst[slot*18:])] = true
		}
	}
	if len(seen) < 2 {
		t.Errorf("twelve times the same")
	}
}

func TestIdentitySamplerRefuses(t *testing.T) {
	for name, size := range map[string]int{
		"a part of a person": 10, "one person": 4, "more people than there are": 16,
	} {
		b, err := NewTrainBatcher(ofPeople(t, 8, 8, 8), Training{Batch: size, Sampler: Identities})
		if err == nil {
			t.Errorf("%s: %d batches", name, b.Batches())
		}
	}
}

func TestSamplerNames(t *testing.T) {
	for _, want := range []Sampler{Shuffled, Identities} {
		var got Sampler
		text, err := want.MarshalText()
		if err != nil || got.UnmarshalText(text) != nil || got != want {
			t.Errorf("%v is written %q and read as %v", want, text, got)
		}
	}
	var s Sampler
	if err := s.UnmarshalText([]byte("random")); err == nil {
		t.Errorf("random is %v", s)
	}
}
