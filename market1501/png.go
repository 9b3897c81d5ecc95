package market1501

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

func isPNG(content []byte) bool { return bytes.HasPrefix(content, []byte(pngSignature)) }

// decodePNG reads a PNG file (ISO/IEC 15948) of bounded size as Pillow's convert("RGB")
// does: alpha is dropped, not blended; of 16 bits the upper 8 are kept, but grey values
// of 16 bits that do not fit into 8 become white.
func decodePNG(ctx context.Context, content []byte) (bitmap, error) {
	config, err := png.DecodeConfig(bytes.NewReader(content))
	if err != nil {
		return bitmap{}, err
	}
	if config.Width > maxPixels/config.Height {
		return bitmap{}, fmt.Errorf("%d×%d pixels, the limit is %d million",
			config.Width, config.Height, maxPixels/1_000_000)
	}
	decoded, err := png.Decode(untilDone{ctx, bytes.NewReader(content)})
	if err != nil {
		return bitmap{}, err
	}
	out := bitmap{Height: config.Height, Width: config.Width, Pix: make([]byte, 0, config.Height*config.Width*3)}
	pixel := pixelOfPNG(decoded, config.ColorModel == color.Gray16Model)
	for y := range out.Height {
		for x := range out.Width {
			r, g, b := pixel(x, y)
			out.Pix = append(out.Pix, r, g, b)
		}
	}
	return out, nil
}

// pixelOfPNG reads pixels without their alpha.
func pixelOfPNG(decoded image.Image, grey16 bool) func(x, y int) (r, g, b byte) {
	switch img := decoded.(type) {
	case *image.Gray:
		return func(x, y int) (r, g, b byte) {
			v := img.GrayAt(x, y).Y
			return v, v, v
		}
	case *image.RGBA: // which is opaque
		return func(x, y int) (r, g, b byte) {
			c := img.RGBAAt(x, y)
			return c.R, c.G, c.B
		}
	case *image.NRGBA:
		return func(x, y int) (r, g, b byte) {
			c := img.NRGBAAt(x, y)
			return c.R, c.G, c.B
		}
	case *image.Paletted:
		return func(x, y int) (r, g, b byte) {
			switch c := img.At(x, y).(type) {
			case color.RGBA:
				return c.R, c.G, c.B
			case color.NRGBA:
				return c.R, c.G, c.B
			default:
				panic("a palette of other colours than image/png makes")
			}
		}
	}
	return func(x, y int) (r, g, b byte) {
		c := color.NRGBA64Model.Convert(decoded.At(x, y)).(color.NRGBA64)
		if grey16 {
			v := byte(min(c.R, 255))
			return v, v, v
		}
		return byte(c.R >> 8), byte(c.G >> 8), byte(c.B >> 8)
	}
}

// untilDone reads until a context ends.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}
