package market1501

import "math"

// Images are resized as Pillow's Image.resize(…, BILINEAR) does it, to the byte:
// a triangle filter whose support grows with the reduction (so that shrinking
// averages), first along rows, then along columns, each pass in fixed point with
// weights of 22 fractional bits and rounded to bytes. See Pillow's
// src/libImaging/Resample.c for the definition.

const weightBits = 32 - 8 - 2

// taps are the weights of one axis: output i is the sum of
// Weights[i*Size+k] * input[First[i]+k] for k < Count[i].
type taps struct {
	Size    int
	First   []int
	Count   []int
	Weights []int32
}

func newTaps(in, out int) taps {
	scale := float64(in) / float64(out)
	support := max(scale, 1)
	size := int(math.Ceil(support))*2 + 1
	t := taps{Size: size, First: make([]int, out), Count: make([]int, out), Weights: make([]int32, out*size)}
	exact := make([]float64, size)
	for i := range out {
		center := (float64(i) + 0.5) * scale
		first := max(int(center-support+0.5), 0)
		count := min(int(center+support+0.5), in) - first
		sum := 0.0
		for k := range count {
			distance := math.Abs((float64(first+k) - center + 0.5) / support)
			exact[k] = max(1-distance, 0)
			sum += exact[k]
		}
		for k := range count {
			t.Weights[i*size+k] = int32(0.5 + exact[k]/sum*(1<<weightBits))
		}
		t.First[i], t.Count[i] = first, count
	}
	return t
}

// resizer resizes images of one size to another; it is not for concurrent use.
type resizer struct {
	inH, inW, outH, outW int
	rows, columns        taps
	between              []byte // [inH, outW, 3]
}

func newResizer(inH, inW, outH, outW int) *resizer {
	r := &resizer{inH: inH, inW: inW, outH: outH, outW: outW}
	if inW != outW {
		r.columns = newTaps(inW, outW)
	}
	if inH != outH {
		r.rows = newTaps(inH, outH)
		r.between = make([]byte, inH*outW*3)
	}
	return r
}

// resize fills dst [outH, outW, 3] from src [inH, inW, 3]. A pass that would not
// change the size is left out.
func (r *resizer) resize(dst, src []byte) {
	if r.inH == r.outH {
		r.alongRows(dst, src)
		return
	}
	between := src
	if r.inW != r.outW {
		between = r.between
		r.alongRows(between, src)
	}
	r.alongColumns(dst, between)
}

func (r *resizer) alongRows(dst, src []byte) {
	if r.inW == r.outW {
		copy(dst, src)
		return
	}
	t := &r.columns
	for y := range r.inH {
		in, out := src[y*r.inW*3:][:r.inW*3], dst[y*r.outW*3:][:r.outW*3]
		for x := range r.outW {
			red, green, blue := int32(1)<<(weightBits-1), int32(1)<<(weightBits-1), int32(1)<<(weightBits-1)
			from := in[t.First[x]*3:]
			for k, weight := range t.Weights[x*t.Size:][:t.Count[x]] {
				red += weight * int32(from[k*3])
				green += weight * int32(from[k*3+1])
				blue += weight * int32(from[k*3+2])
			}
			out[x*3], out[x*3+1], out[x*3+2] = toByte(red), toByte(green), toByte(blue)
		}
	}
}

func (r *resizer) alongColumns(dst, src []byte) {
	t, stride := &r.rows, r.outW*3
	for y := range r.outH {
		weights, first := t.Weights[y*t.Size:][:t.Count[y]], t.First[y]*stride
		out := dst[y*stride:][:stride]
		for x := range out {
			sum := int32(1) << (weightBits - 1)
			for k, weight := range weights {
				sum += weight * int32(src[first+k*stride+x])
			}
			out[x] = toByte(sum)
		}
	}
}

func toByte(sum int32) byte { return byte(min(max(sum>>weightBits, 0), 255)) }
