package jpeg

// The colour conversion of JFIF (ITU-T T.871, clause 7), with 16 fractional bits:
//
//	R = Y + 1.402·(Cr−128)
//	G = Y − 0.34414·(Cb−128) − 0.71414·(Cr−128)
//	B = Y + 1.772·(Cb−128)
const (
	colourBits = 16
	crToRed    = 91881  // 1.402
	crToGreen  = 46802  // 0.71414
	cbToGreen  = 22554  // 0.34414
	cbToBlue   = 116130 // 1.772
)

// What a chroma sample adds to red and blue, and in fractions to green.
var redOf, blueOf, greenOfCb, greenOfCr = func() (red, blue, cb, cr [256]int32) {
	for i := range int32(256) {
		red[i] = (crToRed*(i-128) + 1<<(colourBits-1)) >> colourBits
		blue[i] = (cbToBlue*(i-128) + 1<<(colourBits-1)) >> colourBits
		cb[i] = -cbToGreen*(i-128) + 1<<(colourBits-1)
		cr[i] = -crToGreen * (i - 128)
	}
	return red, blue, cb, cr
}()

// clampOffset is what is added to a value before clamped is asked for it.
const clampOffset = 256

// clamped are the values from -256 to 767, made to fit into a byte.
var clamped = func() (table [1024]byte) {
	for i := range table {
		table[i] = byte(min(max(i-clampOffset, 0), 255))
	}
	return table
}()

func clamp(v int32) byte { return clamped[uint32(v+clampOffset)%1024] }

// colourConversion makes a row of RGB of a row of each component.
type colourConversion func(out []byte, in [][]byte)

func yccToRGB(out []byte, in [][]byte) {
	pixels := len(out) / 3
	luma, cb, cr := in[0][:pixels], in[1][:pixels], in[2][:pixels]
	for x, y := range luma {
		pixel, light, blue, red := (*[3]byte)(out[3*x:]), int32(y), cb[x], cr[x]
		pixel[0] = clamp(light + redOf[red])
		pixel[1] = clamp(light + (greenOfCb[blue]+greenOfCr[red])>>colourBits)
		pixel[2] = clamp(light + blueOf[blue])
	}
}

func interleaveRGB(out []byte, in [][]byte) {
	pixels := len(out) / 3
	red, green, blue := in[0][:pixels], in[1][:pixels], in[2][:pixels]
	for x := range red {
		out[3*x], out[3*x+1], out[3*x+2] = red[x], green[x], blue[x]
	}
}

func greyToRGB(out []byte, in [][]byte) {
	for x, v := range in[0][:len(out)/3] {
		out[3*x], out[3*x+1], out[3*x+2] = v, v, v
	}
}

// cmykToRGB takes inks as Adobe's programs write them, 255 being none, and prints them
// on white as Pillow does.
func cmykToRGB(out []byte, in [][]byte) {
	interleaveRGB(out, in)
	printOn(out, in[3])
}

// ycckToRGB takes the same inks, of which three are what is missing to colours that are
// coded as YCbCr.
func ycckToRGB(out []byte, in [][]byte) {
	yccToRGB(out, in)
	for i := range out {
		out[i] = 255 - out[i]
	}
	printOn(out, in[3])
}

// printOn takes black away from light of three colours. light·black/255 would do; this
// is how it is rounded.
func printOn(out, black []byte) {
	for i, light := range out {
		white := int32(black[i/3])
		ink := (255-int32(light))*white + 128
		out[i] = byte(max(white-(ink>>8+ink)>>8, 0))
	}
}
