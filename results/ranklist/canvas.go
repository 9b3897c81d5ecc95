package ranklist

import (
	"fmt"
	"image"
	"image/color"

	"golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"github.com/reidbench/reidbench/results"
	"github.com/reidbench/reidbench/results/heatmap"
)

var regular, bold = face(goregular.TTF), face(gobold.TTF)

func face(ttf []byte) font.Face {
	parsed, err := opentype.Parse(ttf)
	if err != nil {
		panic("ranklist: a font of the Go project: " + err.Error())
	}
	made, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: 14, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		panic("ranklist: a font of the Go project: " + err.Error())
	}
	return made
}

// canvas is what a list is drawn on.
type canvas struct{ *image.RGBA }

// cell draws a picture in its frame, whose upper left corner is at, and below it where the network looks, if that is
// known.
func (c *canvas) cell(
	at image.Point, file string, looks *results.Heatmap, picture Picture, hue color.Color, broken bool,
) error {
	img, err := picture(file)
	if err != nil {
		return fmt.Errorf("draw a ranked list: %w", err)
	}
	outer := image.Rectangle{Min: at, Max: at.Add(image.Pt(cellWidth, cellHeight))}
	inner := outer.Inset(frame)
	draw.Draw(c, outer, image.NewUniform(hue), image.Point{}, draw.Src)
	if broken {
		c.breakFrame(outer)
	}
	draw.CatmullRom.Scale(c, inner, img, img.Bounds(), draw.Src, nil)
	if looks != nil {
		below := inner.Add(image.Pt(0, cellHeight))
		draw.Draw(c, below, heatmap.Over(c.SubImage(inner), *looks), image.Point{}, draw.Src)
	}
	return nil
}

// breakFrame cuts a frame into dashes.
func (c *canvas) breakFrame(outer image.Rectangle) {
	const dash = 16
	for x := outer.Min.X + dash; x < outer.Max.X-dash; x += 2 * dash {
		draw.Draw(c, image.Rect(x, outer.Min.Y, x+dash/2, outer.Max.Y), image.NewUniform(paper), image.Point{},
			draw.Src)
	}
	for y := outer.Min.Y + dash; y < outer.Max.Y-dash; y += 2 * dash {
		draw.Draw(c, image.Rect(outer.Min.X, y, outer.Max.X, y+dash/2), image.NewUniform(paper), image.Point{},
			draw.Src)
	}
}

// caption writes lines from the height y on, centred below a cell; the first one in ink.
func (c *canvas) caption(cell image.Point, y int, first font.Face, lines ...string) {
	for i, line := range lines {
		f, hue := regular, pencil
		if i == 0 {
			f, hue = first, ink
		}
		left := cell.X + (cellWidth-font.MeasureString(f, line).Ceil())/2
		c.text(left, y+(i+1)*lineHeight, f, hue, line)
	}
}

// text writes a line from the left end of its baseline.
func (c *canvas) text(x, y int, f font.Face, hue color.Color, line string) {
	d := font.Drawer{Dst: c, Src: image.NewUniform(hue), Face: f, Dot: fixed.P(x, y)}
	d.DrawString(line)
}
