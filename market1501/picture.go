package market1501

import (
	"context"
	"fmt"
	"image"
	"path/filepath"
)

// Picture decodes one image of the dataset, named by its path there, as it is: to be looked at. An error about the
// content wraps [ErrImage].
func (d *Dataset) Picture(ctx context.Context, name string) (image.Image, error) {
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return nil, fmt.Errorf("picture %s: not a path in the dataset", name)
	}
	decoded, err := decodeFile(ctx, filepath.Join(d.Root, filepath.FromSlash(name)))
	if err != nil {
		return nil, fmt.Errorf("picture %s: %w", name, err)
	}
	picture := image.NewRGBA(image.Rect(0, 0, decoded.Width, decoded.Height))
	for i := range decoded.Width * decoded.Height {
		copy(picture.Pix[4*i:], decoded.Pix[3*i:3*i+3])
		picture.Pix[4*i+3] = 0xff
	}
	return picture, nil
}
