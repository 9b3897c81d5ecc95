package plots

import (
	"bytes"
	"image"
	"image/png"
	"io"
	"strings"
	"testing"
)

func TestWriteROC(t *testing.T) {
	curve := []ROCPoint{{1e-3, 0.1}, {1e-2, 0.5}, {1, 1}}
	var page bytes.Buffer
	if err := WriteROC(&page, "png", "lenet", curve); err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(&page)
	if err != nil || picture.Bounds().Dx() != 700 || picture.Bounds().Dy() != 700 {
		t.Errorf("a picture of %v, %v", picture.Bounds(), err)
	}
	if right := marginRight(picture); right > 40 {
		t.Errorf("%d empty columns at the right", right)
	}
	page.Reset()
	if err := WriteROC(&page, "svg", "lenet", curve); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{">lenet<", ">0.1<", ">10<", ">100<", "pairs of two people"} {
		if !strings.Contains(page.String(), text) {
			t.Errorf("the drawing lacks %q", text)
		}
	}
	if err := WriteROC(io.Discard, "svg", "one point", []ROCPoint{{1, 1}}); err != nil {
		t.Error(err)
	}
	if WriteROC(io.Discard, "pdf", "lenet", curve) == nil || WriteROC(io.Discard, "svg", "lenet", nil) == nil {
		t.Error("a format or a curve that there is not was drawn")
	}
}

// marginRight is how many columns at the right are white.
func marginRight(picture image.Image) int {
	bounds := picture.Bounds()
	for x := bounds.Max.X - 1; x >= bounds.Min.X; x-- {
		for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
			if r, g, b, _ := picture.At(x, y).RGBA(); r&g&b != 0xffff {
				return bounds.Max.X - 1 - x
			}
		}
	}
	return bounds.Dx()
}
