package market1501

import (
	"fmt"
	"math/rand/v2"
)

// A View is how a network sees images: normalised by mean and standard deviation of R, G and B, of values in [0, 1],
// and perhaps turned.
type View struct {
	Mean, Std [3]float32
	Turned    bool // by 180°
}

// ImageNet is the view that every batch has unless it is given another one.
var ImageNet = View{Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225}}

// Batcher cuts Images into batches of normalised floats. What batch b of epoch e
// holds depends on seed, e and b alone, so that training can be resumed anywhere
// without any state. It is not for concurrent use; several may share Images.
//
// A training Batcher draws every epoch anew and mirrors every image with
// probability ½. The random crop of the published recipe is the identity, since
// it crops 256×128 out of 256×128, and therefore absent.
type Batcher struct {
	images *Images
	size   int
	train  bool
	mirror bool // every image, for evaluation
	seed   uint64

	identities   *identitySampler // nil: all images are shuffled
	augmentation Augmentation
	varied       rand.PCG // draws an image's variation

	order  []int32 // of epoch
	epoch  int
	random rand.PCG
	turned bool
	table  [3][256]float32 // a channel's byte, normalised
}

// Training says what the batches of a training are made of.
type Training struct {
	Batch   int // images
	Seed    uint64
	Sampler Sampler
	Augmentation
}

// NewTrainBatcher draws epochs as t says, with as many batches as [Sampler.Batches] has.
func NewTrainBatcher(images *Images, t Training) (*Batcher, error) {
	if images.Len() < 2 {
		return nil, fmt.Errorf("new batcher: training needs at least 2 images, there are %d", images.Len())
	}
	if t.Batch < 2 {
		return nil, fmt.Errorf("new batcher: training needs batches of at least 2 images, not %d", t.Batch)
	}
	b := newBatcher(images, t.Batch)
	b.train, b.seed, b.augmentation = true, t.Seed, t.Augmentation
	if t.Sampler == Identities {
		var err error
		if b.identities, err = newIdentitySampler(images.entries, t.Batch); err != nil {
			return nil, fmt.Errorf("new batcher: %w", err)
		}
		b.order = make([]int32, b.identities.batches*t.Batch)
	}
	return b, nil
}

// NewEvalBatcher goes through the images in their order, as they are.
func NewEvalBatcher(images *Images, size int) (*Batcher, error) {
	if size < 1 {
		return nil, fmt.Errorf("new batcher: batches of %d images", size)
	}
	return newBatcher(images, size), nil
}

func newBatcher(images *Images, size int) *Batcher {
	b := &Batcher{images: images, size: size, epoch: -1, order: make([]int32, images.Len())}
	for i := range b.order {
		b.order[i] = int32(i)
	}
	b.See(ImageNet)
	return b
}

// See has the batches of a Batcher as a view has them.
func (b *Batcher) See(v View) {
	b.turned = v.Turned
	for c := range b.table {
		for x := range b.table[c] {
			b.table[c][x] = (float32(x)/255 - v.Mean[c]) / v.Std[c]
		}
	}
}

// Mirrored is the same Batcher for evaluation with every image mirrored.
func (b *Batcher) Mirrored() *Batcher {
	mirrored := *b
	mirrored.mirror = true
	return &mirrored
}

// Batches is the number of batches in an epoch.
func (b *Batcher) Batches() int {
	whole, rest := len(b.order)/b.size, len(b.order)%b.size
	if rest > 1 || rest == 1 && !b.train {
		whole++
	}
	return whole
}

// Indices lists the images of a batch, by their place in Images. The slice is
// valid until the next call.
func (b *Batcher) Indices(epoch, batch int) []int32 {
	if b.train && b.epoch != epoch {
		b.random.Seed(b.seed, mix(uint64(epoch)))
		if b.identities != nil {
			b.identities.draw(b.order, &b.random)
		} else {
			permute(b.order, &b.random)
		}
		b.epoch = epoch
	}
	from := batch * b.size
	return b.order[from:min(from+b.size, len(b.order))]
}

// Fill writes batch (0…Batches()-1) of epoch into dst [n, Height, Width, 3] as
// (x/255 - mean) / std, as its view has it, and the classes of its images into labels [n]; labels may
// be nil. It returns n, which is smaller than Size only for the last batch. dst
// must have room for n images. Nothing is allocated.
func (b *Batcher) Fill(dst []float32, labels []int32, epoch, batch int) int {
	indices := b.Indices(epoch, batch)
	size := b.images.Height * b.images.Width * 3
	for slot, i := range indices {
		out := dst[slot*size:][:size]
		drawn := b.drawn(batch, slot, i)
		mirrored := b.mirror || b.train && mirrored(b.seed, epoch, drawn)
		switch pixels := b.images.Pixels(int(i)); {
		case b.augmentation != (Augmentation{}):
			b.varied.Seed(mix(mix(b.seed)+uint64(epoch)), uint64(drawn))
			v := b.augmentation.draw(b.images.Height, b.images.Width, &b.varied)
			b.fillVaried(out, pixels, mirrored, v)
		case mirrored:
			b.fillMirrored(out, pixels)
		default:
			b.fill(out, pixels)
		}
		if b.turned {
			turn(out)
		}
		if labels != nil {
			labels[slot] = b.images.Label(int(i))
		}
	}
	return len(indices)
}

// drawn is what the random choices about an image are a function of: of a person with few images, an epoch may have one
// several times, and each time with choices of its own.
func (b *Batcher) drawn(batch, slot int, image int32) int32 {
	if b.identities != nil {
		return int32(batch*b.size + slot)
	}
	return image
}

func (b *Batcher) fill(dst []float32, src []byte) {
	for i := 0; i+3 <= len(src) && i+3 <= len(dst); i += 3 {
		dst[i] = b.table[0][src[i]]
		dst[i+1] = b.table[1][src[i+1]]
		dst[i+2] = b.table[2][src[i+2]]
	}
}

func (b *Batcher) fillMirrored(dst []float32, src []byte) {
	stride := b.images.Width * 3
	for row := 0; row < len(src); row += stride {
		from := row + stride
		for i := row; i < row+stride; i += 3 {
			from -= 3
			dst[i] = b.table[0][src[from]]
			dst[i+1] = b.table[1][src[from+1]]
			dst[i+2] = b.table[2][src[from+2]]
		}
	}
}

// turn turns an image [H, W, 3] by 180°.
func turn(pixels []float32) {
	for i, j := 0, len(pixels)-3; i < j; i, j = i+3, j-3 {
		for c := range 3 {
			pixels[i+c], pixels[j+c] = pixels[j+c], pixels[i+c]
		}
	}
}

// mirrored decides about one image of one epoch, wherever it stands in the order.
func mirrored(seed uint64, epoch int, drawn int32) bool {
	return mix(mix(mix(seed)+uint64(epoch))+uint64(drawn))&1 == 1
}

// mix is the output function of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014):
// neighbouring arguments give unrelated results.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
