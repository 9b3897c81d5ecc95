package ranklist

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"testing"

	"github.com/reidbench/reidbench/results"
)

var plain = color.NRGBA{R: 0x40, G: 0x80, B: 0xc0, A: 0xff}

func plainPicture(string) (image.Image, error) {
	img := image.NewNRGBA(image.Rect(0, 0, 64, 128))
	for i := range img.Pix {
		img.Pix[i] = []byte{plain.R, plain.G, plain.B, plain.A}[i%4]
	}
	return img, nil
}

func inventedList() (results.Rankings, results.RankedList) {
	list := results.RankedList{Place: 2, AP: 0.5, Matches: 3, Query: results.Image{File: "q.jpg", PID: 7, CamID: 1}}
	for i := range 4 {
		list.Nearest = append(list.Nearest, results.Neighbour{
			Image: results.Image{File: "g.jpg", PID: int32(7 * (i % 2)), CamID: 2}, Distance: float64(i),
			Match: i%2 == 1,
		})
	}
	return results.Rankings{Model: "osnet", Queries: 9, Lists: []results.RankedList{list}}, list
}

// TestDraw looks at the pixels that say what is what: the middle of every picture, and a corner of its frame.
func TestDraw(t *testing.T) {
	rankings, list := inventedList()
	drawn, err := Draw(Title(rankings, list), list, plainPicture)
	if err != nil {
		t.Fatal(err)
	}
	at := image.Pt(margin, margin+headHeight)
	for i, hue := range []color.NRGBA{queryFrame, missFrame, matchFrame, missFrame, matchFrame} {
		if got := drawn.At(at.X, at.Y); !same(got, hue) {
			t.Errorf("cell %d has a frame of %v, want %v", i, got, hue)
		}
		if got := drawn.At(at.X+cellWidth/2, at.Y+cellHeight/2); !same(got, plain) {
			t.Errorf("cell %d shows %v, want %v", i, got, plain)
		}
		broken := false // dashes besides the colour
		for x := range cellWidth {
			broken = broken || same(drawn.At(at.X+x, at.Y), paper)
		}
		if want := hue == missFrame; broken != want {
			t.Errorf("cell %d: the frame is broken: %t, want %t", i, broken, want)
		}
		at.X += cellWidth + gap
		if i == 0 {
			at.X += queryGap - gap
		}
	}
	if got, want := drawn.Bounds().Dx(), at.X-gap+margin; got != want {
		t.Errorf("%d pixels wide, want %d", got, want)
	}
}

func same(a color.Color, b color.NRGBA) bool { return color.NRGBAModel.Convert(a) == b }

func TestWriteRepeats(t *testing.T) {
	_, list := inventedList()
	var first, second bytes.Buffer
	for _, w := range []*bytes.Buffer{&first, &second} {
		if err := Write(w, "title", list, plainPicture); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same list gives other bytes")
	}
	if _, err := png.Decode(&first); err != nil {
		t.Error(err)
	}
}

func TestTitle(t *testing.T) {
	rankings, list := inventedList()
	want := "osnet   AP 50.0 %, place 2 of 9 queries   2 of 3 matches in the first 4"
	if got := Title(rankings, list); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	rankings.Heatmaps = "rollout"
	if got := Title(rankings, list); got != want+"   below: rollout" {
		t.Errorf("with heatmaps: %q", got)
	}
}

// TestDrawHeatmaps: below every picture, as wide, lies where the network looks; what is above and the frames are as
// without.
func TestDrawHeatmaps(t *testing.T) {
	_, list := inventedList()
	without, err := Draw("", list, plainPicture)
	if err != nil {
		t.Fatal(err)
	}
	m := &results.Heatmap{Height: 2, Width: 1, Values: []float64{0, 1}}
	list.Heatmap = m
	for i := range list.Nearest {
		list.Nearest[i].Heatmap = m
	}
	with, err := Draw("", list, plainPicture)
	if err != nil {
		t.Fatal(err)
	}
	if got := with.Bounds().Dy() - without.Bounds().Dy(); got != pictureHeight+frame {
		t.Errorf("%d pixels higher, want %d", got, pictureHeight+frame)
	}
	top := margin + headHeight
	for y := range top + cellHeight {
		for x := range with.Bounds().Dx() {
			if with.At(x, y) != without.At(x, y) {
				t.Fatalf("the pixel at %d, %d is other than without heatmaps", x, y)
			}
		}
	}
	for i, left := 0, margin+frame; i <= len(list.Nearest); i++ {
		cold := with.At(left, top+cellHeight+frame).(color.RGBA)
		hot := with.At(left+pictureWidth-1, top+cellHeight+frame+pictureHeight-1).(color.RGBA)
		// 0.3 of the picture and 0.7 of the ends of the colours, (0, 0, 128) and (128, 0, 0)
		if (cold != color.RGBA{19, 38, 147, 0xff}) || (hot != color.RGBA{108, 38, 57, 0xff}) {
			t.Errorf("image %d: %v above and %v below", i, cold, hot)
		}
		left += cellWidth + gap
		if i == 0 {
			left += queryGap - gap
		}
	}
}

func TestDrawWithoutAPicture(t *testing.T) {
	lost := errors.New("lost")
	_, list := inventedList()
	if _, err := Draw("", list, func(string) (image.Image, error) { return nil, lost }); !errors.Is(err, lost) {
		t.Errorf("error %v, want that of the picture", err)
	}
}
