package jpeg

// The inverse transform is Loeffler, Ligtenberg and Moschytz' ("Practical fast 1-D DCT
// algorithms with 11 multiplications", ICASSP 1989) in integers, as libjpeg's "islow":
// factors have 13 fractional bits, and 2 are kept between the passes. Where a broken
// file's values do not fit into 16 bits, they wrap round or saturate as in the vectors
// of libjpeg-turbo on amd64.

const (
	factorBits = 13
	extraBits  = 2
)

// Factors of the transform: sums and differences of √2·cos(kπ/16).
const (
	f0298 = 2446  // 0.298631336
	f0390 = 3196  // 0.390180644
	f0541 = 4433  // 0.541196100
	f0765 = 6270  // 0.765366865
	f0899 = 7373  // 0.899976223
	f1175 = 9633  // 1.175875602
	f1501 = 12299 // 1.501321110
	f1847 = 15137 // 1.847759065
	f1961 = 16069 // 1.961570560
	f2053 = 16819 // 2.053119869
	f2562 = 20995 // 2.562915447
	f3072 = 25172 // 3.072711026
)

// wrapped is a value in 16 bits.
func wrapped(v int32) int32 { return int32(int16(v)) }

// saturated is a value, or the nearest of 16 bits.
func saturated(v int32) int32 { return min(max(v, -1<<15), 1<<15-1) }

// sample makes a sample of what the transform gives, in [-128, 127].
func sample(v int32) byte { return byte(min(max(v, -128), 127) + 128) }

// inverseDC writes the samples of a block whose only coefficient is the first.
func inverseDC(samples []byte, stride int, dc int16) {
	value := sample((int32(dc<<extraBits) + 1<<(extraBits+2)) >> (extraBits + 3))
	for y := range blockEdge {
		row := samples[y*stride:][:blockEdge]
		for x := range row {
			row[x] = value
		}
	}
}

// inverseDCT writes the samples of a block, along columns first.
func inverseDCT(samples []byte, stride int, b *block, quant *quantTable) {
	var between [blockSize]int32
	flat := true // all columns are
	for x := range blockEdge {
		out := (*[blockSize - blockEdge + 1]int32)(between[x:])
		if b[8+x]|b[16+x]|b[24+x]|b[32+x]|b[40+x]|b[48+x]|b[56+x] == 0 {
			dc := saturated(int32(b[x]*quant[x]) << extraBits)
			out[0], out[8], out[16], out[24] = dc, dc, dc, dc
			out[32], out[40], out[48], out[56] = dc, dc, dc, dc
			continue
		}
		flat = false
		even0, even1, even2, even3 := evenPart(int32(b[x]*quant[x]), int32(b[16+x]*quant[16+x]),
			int32(b[32+x]*quant[32+x]), int32(b[48+x]*quant[48+x]))
		c1, c3 := int32(b[8+x]*quant[8+x]), int32(b[24+x]*quant[24+x])
		c5, c7 := int32(b[40+x]*quant[40+x]), int32(b[56+x]*quant[56+x])
		sum0, sum1 := oddSums(c1, c3, c5, c7)
		odd0, odd3 := oddOuter(c1, c7, sum0, sum1)
		odd1, odd2 := oddInner(c3, c5, sum0, sum1)
		const shift, half = factorBits - extraBits, 1 << (factorBits - extraBits - 1)
		out[0], out[56] = saturated((even0+odd0+half)>>shift), saturated((even0-odd0+half)>>shift)
		out[8], out[48] = saturated((even1+odd1+half)>>shift), saturated((even1-odd1+half)>>shift)
		out[16], out[40] = saturated((even2+odd2+half)>>shift), saturated((even2-odd2+half)>>shift)
		out[24], out[32] = saturated((even3+odd3+half)>>shift), saturated((even3-odd3+half)>>shift)
	}
	if flat {
		for i := range between {
			between[i] = int32(b[i%blockEdge] * quant[i%blockEdge] << extraBits)
		}
	}
	for y := range blockEdge {
		in := (*[blockEdge]int32)(between[y*blockEdge:])
		out := (*[blockEdge]byte)(samples[y*stride:])
		const shift, half = factorBits + extraBits + 3, 1 << (factorBits + extraBits + 2)
		even0, even1, even2, even3 := evenPart(in[0], in[2], in[4], in[6])
		sum0, sum1 := oddSums(in[1], in[3], in[5], in[7])
		odd0, odd3 := oddOuter(in[1], in[7], sum0, sum1)
		odd1, odd2 := oddInner(in[3], in[5], sum0, sum1)
		out[0], out[7] = sample((even0+odd0+half)>>shift), sample((even0-odd0+half)>>shift)
		out[1], out[6] = sample((even1+odd1+half)>>shift), sample((even1-odd1+half)>>shift)
		out[2], out[5] = sample((even2+odd2+half)>>shift), sample((even2-odd2+half)>>shift)
		out[3], out[4] = sample((even3+odd3+half)>>shift), sample((even3-odd3+half)>>shift)
	}
}

// evenPart transforms the coefficients with even numbers.
func evenPart(c0, c2, c4, c6 int32) (out0, out1, out2, out3 int32) {
	a, b := wrapped(c0+c4)<<factorBits, wrapped(c0-c4)<<factorBits
	c := c2*f0541 - c6*(f1847-f0541)
	d := c2*(f0541+f0765) + c6*f0541
	return a + d, b + c, b - c, a - d
}

// oddSums, oddOuter and oddInner transform the coefficients with odd numbers; all are
// small enough to be inlined.
func oddSums(c1, c3, c5, c7 int32) (a, b int32) {
	c73, c51 := wrapped(c7+c3), wrapped(c5+c1)
	return c51*f1175 - c73*(f1961-f1175), c73*f1175 + c51*(f1175-f0390)
}

func oddOuter(c1, c7, a, b int32) (out0, out3 int32) {
	return c1*(f1501-f0899) - c7*f0899 + b, c7*(f0298-f0899) - c1*f0899 + a
}

func oddInner(c3, c5, a, b int32) (out1, out2 int32) {
	return c3*(f3072-f2562) - c5*f2562 + a, c5*(f2053-f2562) - c3*f2562 + b
}
