package market1501

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"

	"github.com/reidbench/reidbench/results/regular"
)

// Bounds on what is decoded: an image of a pedestrian is far below all, and a
// hostile file must not make us allocate gigabytes or work for hours.
const (
	maxFileBytes = 32 << 20
	maxPixels    = 16_000_000
	maxScans     = 100 // passes over the image: a progressive JPEG has about ten
)

var (
	// ErrImage is wrapped by errors about the content of an image file: truncated,
	// not a JPEG, or too large.
	ErrImage = errors.New("unreadable image")
	// ErrNotGiven is wrapped by errors about an image file whose content the system
	// does not give: no permission, too many open files, a disk that fails.
	ErrNotGiven = errors.New("an image cannot be read")
)

// bitmap is an image as bytes, [Height, Width, 3] in RGB.
type bitmap struct {
	Height, Width int
	Pix           []byte
}

// decodeFile reads a JPEG file. Errors about the content wrap ErrImage, and the
// caller names the file; those of readFile name it already.
func decodeFile(file string) (bitmap, error) {
	content, err := readFile(file)
	if err != nil {
		return bitmap{}, err
	}
	return decode(content)
}

// readFile returns what a file holds, or a little more than maxFileBytes of it.
// Errors wrap ErrNotGiven.
func readFile(file string) ([]byte, error) {
	f, err := regular.Open(file)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotGiven, err)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotGiven, err)
	}
	return content, nil
}

// decode reads a JPEG of bounded size. Chroma is upsampled by repetition, as
// image/jpeg does; libjpeg interpolates it, so bytes may differ slightly from
// what Pillow decodes.
func decode(content []byte) (bitmap, error) {
	if len(content) > maxFileBytes {
		return bitmap{}, fmt.Errorf("%w: larger than %d MiB", ErrImage, maxFileBytes>>20)
	}
	config, err := jpeg.DecodeConfig(bytes.NewReader(content))
	if err != nil {
		return bitmap{}, fmt.Errorf("%w: %w", ErrImage, err)
	}
	if config.Width < 1 || config.Height < 1 || config.Width > maxPixels/config.Height {
		return bitmap{}, fmt.Errorf("%w: %d×%d pixels, the limit is %d million", ErrImage,
			config.Width, config.Height, maxPixels/1_000_000)
	}
	if n := bytes.Count(content, startOfScan); n > maxScans { // what is coded never has these bytes
		return bitmap{}, fmt.Errorf("%w: %d scans, the limit is %d", ErrImage, n, maxScans)
	}
	img, err := jpeg.Decode(bytes.NewReader(content))
	if err != nil {
		return bitmap{}, fmt.Errorf("%w: %w", ErrImage, err)
	}
	return toRGB(img), nil
}

// startOfScan is the marker that begins each scan.
var startOfScan = []byte{0xff, 0xda}

func toRGB(img image.Image) bitmap {
	bounds := img.Bounds()
	out := bitmap{Height: bounds.Dy(), Width: bounds.Dx(), Pix: make([]byte, 0, bounds.Dx()*bounds.Dy()*3)}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			var r, g, b uint8
			switch img := img.(type) {
			case *image.YCbCr:
				c := img.COffset(x, y)
				r, g, b = color.YCbCrToRGB(img.Y[img.YOffset(x, y)], img.Cb[c], img.Cr[c])
			case *image.Gray:
				r = img.Pix[img.PixOffset(x, y)]
				g, b = r, r
			default:
				r16, g16, b16, _ := img.At(x, y).RGBA()
				r, g, b = uint8(r16>>8), uint8(g16>>8), uint8(b16>>8)
			}
			out.Pix = append(out.Pix, r, g, b)
		}
	}
	return out
}
