package models

import (
	"fmt"
	"strconv"
	"strings"
)

// ImageSize is the height and width of a network's images, in pixels. The zero value is the model's own.
type ImageSize struct{ H, W int }

// The bounds of the sides of images.
const leastSide, mostSide = 8, 4096

// String is HxW, "" for the zero value.
func (s ImageSize) String() string {
	if s == (ImageSize{}) {
		return ""
	}
	return fmt.Sprintf("%dx%d", s.H, s.W)
}

// MarshalText is [ImageSize.String].
func (s ImageSize) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads HxW.
func (s *ImageSize) UnmarshalText(text []byte) error {
	height, width, _ := strings.Cut(string(text), "x")
	h, errH := strconv.Atoi(height)
	w, errW := strconv.Atoi(width)
	if errH != nil || errW != nil || min(h, w) < leastSide || max(h, w) > mostSide {
		return fmt.Errorf("an image's size is HEIGHTxWIDTH, as 256x128, of %d to %d pixels each, not %q",
			leastSide, mostSide, text)
	}
	*s = ImageSize{h, w}
	return nil
}
