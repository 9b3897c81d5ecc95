// Package ranklist draws ranked lists as people who work on re-identification know them: the query on the left, the
// nearest images of the gallery in order on its right, green around the same person and red around others, with
// identity, camera and distance beneath. The same list gives the same bytes.
package ranklist

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"

	"golang.org/x/image/draw"

	"github.com/reidbench/reidbench/results"
)

// A Picture returns an image of the dataset by its path there.
type Picture func(file string) (image.Image, error)

// Sizes in pixels.
const (
	pictureWidth, pictureHeight = 128, 256
	frame                       = 6  // around a picture
	gap                         = 14 // between two
	margin                      = 20
	queryGap                    = 34 // between the query and its list
	headHeight                  = 36
	lineHeight                  = 18
	footHeight                  = 3 * lineHeight

	cellWidth, cellHeight = pictureWidth + 2*frame, pictureHeight + 2*frame
)

// The two hues of right and wrong stay apart for every kind of colour vision (Okabe and Ito, "Color Universal Design",
// 2008); the red frame is broken besides.
var (
	paper      = color.NRGBA{R: 0xff, G: 0xff, B: 0xff, A: 0xff}
	ink        = color.NRGBA{R: 0x22, G: 0x22, B: 0x22, A: 0xff}
	pencil     = color.NRGBA{R: 0x66, G: 0x66, B: 0x66, A: 0xff}
	queryFrame = color.NRGBA{R: 0x33, G: 0x33, B: 0x33, A: 0xff}
	matchFrame = color.NRGBA{R: 0x00, G: 0x9e, B: 0x73, A: 0xff}
	missFrame  = color.NRGBA{R: 0xd6, G: 0x27, B: 0x28, A: 0xff}
)

// Draw makes the picture of one list under a title.
func Draw(title string, list results.RankedList, picture Picture) (image.Image, error) {
	width := 2*margin + cellWidth
	if n := len(list.Nearest); n > 0 {
		width += queryGap + n*cellWidth + (n-1)*gap
	}
	at := image.Pt(margin, margin+headHeight)
	foot := at.Y + cellHeight
	if list.Heatmap != nil {
		foot += pictureHeight + frame
	}
	c := &canvas{image.NewRGBA(image.Rect(0, 0, width, foot+footHeight+margin))}
	draw.Draw(c, c.Bounds(), image.NewUniform(paper), image.Point{}, draw.Src)
	c.text(margin, margin+lineHeight-4, bold, ink, title)

	if err := c.cell(at, list.Query.File, list.Heatmap, picture, queryFrame, false); err != nil {
		return nil, err
	}
	c.caption(at, foot, bold, "query", person(results.Neighbour{Image: list.Query}), place(list.Query))
	at.X += cellWidth + queryGap
	for i, n := range list.Nearest {
		hue := missFrame
		if n.Match {
			hue = matchFrame
		}
		if err := c.cell(at, n.File, n.Heatmap, picture, hue, !n.Match); err != nil {
			return nil, err
		}
		c.caption(at, foot, regular, fmt.Sprintf("%d", i+1)+"   "+distance(n.Distance), person(n), place(n.Image))
		at.X += cellWidth + gap
	}
	return c, nil
}

// Write draws the list as PNG.
func Write(w io.Writer, title string, list results.RankedList, picture Picture) error {
	drawn, err := Draw(title, list, picture)
	if err != nil {
		return err
	}
	return png.Encode(w, drawn)
}

// Title says what a list is: whose, how good, and of how many.
func Title(r results.Rankings, list results.RankedList) string {
	found := 0
	for _, n := range list.Nearest {
		if n.Match {
			found++
		}
	}
	title := fmt.Sprintf("%s   AP %.1f %%, place %d of %d queries   %d of %d matches in the first %d",
		r.Model, 100*list.AP, list.Place, r.Queries, found, list.Matches, len(list.Nearest))
	if r.Heatmaps != "" {
		title += "   below: " + r.Heatmaps
	}
	return title
}

func person(n results.Neighbour) string {
	if n.Distractor {
		return "distractor"
	}
	return fmt.Sprintf("pid %d", n.PID)
}

func place(i results.Image) string { return fmt.Sprintf("camera %d", i.CamID) }

// distance prints four digits.
func distance(d float64) string { return fmt.Sprintf("%.4g", d) }
