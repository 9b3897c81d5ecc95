package market1501

import (
	"context"
	"fmt"
	"image"
	"slices"
)

// Picture decodes one image of the dataset, named by its path there, as it is: to be looked at. An error about the
// content wraps [ErrImage].
func (d *Dataset) Picture(ctx context.Context, name string) (image.Image, error) {
	if !d.holds(name) {
		return nil, fmt.Errorf("picture %s: not an image of the dataset", name)
	}
	decoded, err := decodeFile(ctx, d.File(name))
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

// holds reports whether an image of the dataset has this path.
func (d *Dataset) holds(name string) bool {
	for _, s := range d.Splits() {
		if slices.ContainsFunc(s.Entries, func(e Entry) bool { return e.Path == name }) {
			return true
		}
	}
	return false
}
