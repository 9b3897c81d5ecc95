package market1501

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/reidbench/reidbench/market1501/internal/jpeg"
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
	// neither JPEG nor PNG, or too large.
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

// decodeFile reads an image file. Errors about the content wrap ErrImage, and the
// caller names the file; those of readFile name it already.
func decodeFile(ctx context.Context, file string) (bitmap, error) {
	content, err := readFile(file)
	if err != nil {
		return bitmap{}, err
	}
	return decode(ctx, content)
}

// readFile returns what a file holds, or a little more than maxFileBytes of it.
// Errors wrap ErrNotGiven, or ErrImage where a link leads nowhere.
func readFile(file string) ([]byte, error) {
	f, err := regular.Open(file)
	if err != nil && dangles(file) {
		return nil, fmt.Errorf("%w: a link that leads nowhere", ErrImage)
	}
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

// decode reads an image of bounded size: a JPEG to the bytes that libjpeg-turbo and Pillow decode, or a PNG as Pillow
// converts it to RGB. Which of them it is its content says. Errors are ctx's, or wrap ErrImage.
func decode(ctx context.Context, content []byte) (img bitmap, err error) {
	switch {
	case len(content) > maxFileBytes:
		err = fmt.Errorf("larger than %d MiB", maxFileBytes>>20)
	case jpeg.Is(content):
		var decoded jpeg.Image
		decoded, err = jpeg.Decode(ctx, content, jpeg.Limits{Pixels: maxPixels, Scans: maxScans})
		img = bitmap(decoded)
	case isPNG(content):
		img, err = decodePNG(ctx, content)
	default:
		err = errors.New("neither JPEG nor PNG")
	}
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("%w: %w", ErrImage, err)
	}
	return img, err
}
