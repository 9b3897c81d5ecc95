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
}

func TestDrawWithoutAPicture(t *testing.T) {
	lost := errors.New("lost")
	_, list := inventedList()
	if _, err := Draw("", list, func(string) (image.Image, error) { return nil, lost }); !errors.Is(err, lost) {
		t.Errorf("error %v, want that of the picture", err)
	}
}
