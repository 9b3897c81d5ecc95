package heatmap

import (
	"image"
	"image/color"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/results"
)

// TestJet holds colours against those that OpenCV 4.6 draws with COLORMAP_JET for 0, 32, 64, … of 255. It rounds some
// of all 256 the other way, none by more.
func TestJet(t *testing.T) {
	want := []color.RGBA{
		{0, 0, 128, 255}, {0, 0, 255, 255}, {0, 128, 255, 255}, {2, 255, 254, 255}, {130, 255, 126, 255},
		{255, 252, 0, 255}, {255, 124, 0, 255}, {252, 0, 0, 255}, {128, 0, 0, 255},
	}
	for i, w := range want {
		got := jet(float64(min(32*i, 255)) / 255)
		for _, d := range []int{int(got.R) - int(w.R), int(got.G) - int(w.G), int(got.B) - int(w.B)} {
			if d < -1 || d > 1 {
				t.Errorf("%d of 255: %v, want about %v", min(32*i, 255), got, w)
			}
		}
	}
}

// TestResize: the middle of a place has its value, the middle between two their mean, and the rim that of the
// outermost place.
func TestResize(t *testing.T) {
	const height, width = 4, 18
	pixels := resize(results.Heatmap{Height: 2, Width: 3, Values: []float64{2, 4, 6, 4, 6, 10}}, height, width)
	for _, test := range []struct {
		y, x int
		want float64 // before it is spread from 0 to 1
	}{
		{0, 0, 2}, {0, 8, 2 + 2*11./12}, {0, 17, 6}, {3, 0, 4}, {3, 17, 10},
		{1, 0, 2.5}, {2, 0, 3.5}, // a quarter and three quarters of the way down
	} {
		if got := pixels[test.y*width+test.x]; math.Abs(got-(test.want-2)/8) > 1e-7 {
			t.Errorf("at %d, %d: %v, want %v", test.y, test.x, 2+8*got, test.want)
		}
	}
}

// TestOver: three parts of the image and seven of the colour. A map of one value is the least everywhere.
func TestOver(t *testing.T) {
	img := image.NewRGBA(image.Rect(5, 5, 7, 6))
	img.SetRGBA(5, 5, color.RGBA{100, 200, 10, 255})
	img.SetRGBA(6, 5, color.RGBA{255, 255, 255, 255})
	for _, test := range []struct {
		values []float64
		want   [2]color.RGBA
	}{
		{[]float64{1, 3}, [2]color.RGBA{{30, 60, 92, 255}, {166, 76, 76, 255}}},
		{[]float64{3, 3}, [2]color.RGBA{{30, 60, 92, 255}, {76, 76, 166, 255}}},
	} {
		drawn := Over(img, results.Heatmap{Height: 1, Width: 2, Values: test.values})
		var got [2]color.RGBA
		for x := range got {
			got[x] = drawn.At(x, 0).(color.RGBA)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", test.values, diff)
		}
	}
}
