package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/image/draw"

	"github.com/reidbench/reidbench/bench"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results"
	"github.com/reidbench/reidbench/results/heatmap"
	"github.com/reidbench/reidbench/results/html"
	"github.com/reidbench/reidbench/results/visible"
)

// Thumbnails in a page: small, and all together bounded, so that the page stays below 5 MiB.
const (
	thumbnailWidth, thumbnailHeight = 56, 112
	thumbnailQuality                = 70
	thumbnailBytes                  = 3 << 20

	heatmapBytes = 3 << 20 // of pictures of where networks look, in a page that is asked for them
)

// pictures are the images of the datasets at hand, made small: of the one that is named, or those in the folder of
// runs.
type pictures struct {
	runs     string
	data     string                         // a dataset's folder; "": none is named
	heatmaps bool                           // show where networks look, too
	datasets map[string]*market1501.Dataset // by fingerprint; nil: not at hand
	small    map[string]thumbnail
	left     int // bytes that may still be used
	heatLeft int // by heatmaps
	missing  map[string]bool
}

func newPictures(runs, data string, heatmaps bool) *pictures {
	return &pictures{
		runs: runs, data: data, heatmaps: heatmaps, datasets: map[string]*market1501.Dataset{},
		small: map[string]thumbnail{}, left: thumbnailBytes, heatLeft: heatmapBytes, missing: map[string]bool{},
	}
}

// dataset finds what a run was judged on: the named folder, or one in the folder of runs that is called so, if it has
// the fingerprint.
func (p *pictures) dataset(ctx context.Context, d results.Dataset) *market1501.Dataset {
	if found, ok := p.datasets[d.Fingerprint]; ok {
		return found
	}
	p.datasets[d.Fingerprint] = nil
	for _, dir := range []string{p.data, filepath.Join(p.runs, d.Name)} {
		if dir == "" {
			continue
		}
		opened, err := (market1501.Opener{Layout: folderLayout(d), TestOnly: true}).Open(ctx, dir)
		if err != nil {
			continue
		}
		if fingerprint, err := opened.Fingerprint(ctx); err == nil && fingerprint == d.Fingerprint {
			p.datasets[d.Fingerprint] = opened
		}
	}
	if p.datasets[d.Fingerprint] == nil {
		p.missing[fmt.Sprintf("The images of %s are not at hand: name its folder with --data.", d.Name)] = true
	}
	return p.datasets[d.Fingerprint]
}

// folderLayout is the layout that a dataset was opened with, as far as that can be asked for.
func folderLayout(d results.Dataset) string {
	if d.Layout == market1501.CSVLayout {
		return ""
	}
	return d.Layout
}

// ranked reads a run's ranked lists, if it has recorded any.
func (p *pictures) ranked(ctx context.Context, model, dir string, record results.Record, warn io.Writer) (
	html.Ranked, bool,
) {
	rankings, err := results.ReadRankings(dir)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			fmt.Fprintf(warn, "left out: %s\n", visible.Text(err.Error()))
		}
		return html.Ranked{}, false
	}
	dataset := p.dataset(ctx, record.Dataset)
	if p.heatmaps && dataset != nil {
		p.look(ctx, dir, record.Model, dataset, &rankings)
	}
	ranked := html.Ranked{Model: model, Looks: rankings.Heatmaps}
	for _, l := range rankings.Lists {
		list := html.RankedList{Place: placeName(l.Place, rankings.Queries), AP: l.AP, Query: p.picture(ctx, dataset,
			results.Neighbour{Image: l.Query, Heatmap: l.Heatmap})}
		for _, n := range l.Nearest {
			list.Nearest = append(list.Nearest, p.picture(ctx, dataset, n))
		}
		ranked.Lists = append(ranked.Lists, list)
	}
	return ranked, true
}

// placeName says where a query stands among all.
func placeName(place, queries int) string {
	switch place {
	case 1:
		return "best"
	case (queries + 1) / 2:
		return "median"
	case queries:
		return "worst"
	}
	return fmt.Sprintf("%d of %d", place, queries)
}

// picture makes one image small, or leaves it out.
func (p *pictures) picture(ctx context.Context, d *market1501.Dataset, n results.Neighbour) html.Picture {
	picture := html.Picture{
		Name: n.File, PID: n.PID, CamID: n.CamID, Distractor: n.Distractor, Distance: n.Distance, Match: n.Match,
	}
	if d == nil {
		return picture
	}
	key := d.Root + "\x00" + n.File
	small, ok := p.small[key]
	if !ok {
		img, err := d.Picture(ctx, n.File)
		if err != nil {
			p.missing[fmt.Sprintf("An image is not shown: %v.", err)] = true
		} else {
			small = newThumbnail(img)
		}
		p.small[key] = small
	}
	const some = "Some images are left out, so that the page stays small."
	if len(small.jpeg) > p.left {
		p.missing[some] = true
		return picture
	}
	p.left -= len(small.jpeg)
	picture.JPEG = small.jpeg
	if n.Heatmap == nil || small.img == nil {
		return picture
	}
	looks := encodeThumbnail(heatmap.Over(small.img, *n.Heatmap))
	if len(looks) > p.heatLeft {
		p.missing[some] = true
		return picture
	}
	p.heatLeft -= len(looks)
	picture.Looks = looks
	return picture
}

// look finds where a run's network looks in the images of its ranked lists, by the weights in its folder.
func (p *pictures) look(ctx context.Context, dir, name string, d *market1501.Dataset, r *results.Rankings) {
	model, err := models.Lookup(name)
	if err == nil {
		weights := filepath.Join(dir, store.WeightsFile)
		err = bench.Look(ctx, bench.LookConfig{Model: model, Weights: weights}, d, r)
	}
	if err != nil {
		p.missing[fmt.Sprintf("Where %s looks is not shown: %v.", name, err)] = true
	}
}

// A thumbnail is an image made small; the zero value is one that is not at hand.
type thumbnail struct {
	img  image.Image
	jpeg []byte
}

func newThumbnail(img image.Image) thumbnail {
	small := image.NewRGBA(image.Rect(0, 0, thumbnailWidth, thumbnailHeight))
	draw.CatmullRom.Scale(small, small.Bounds(), img, img.Bounds(), draw.Src, nil)
	return thumbnail{small, encodeThumbnail(small)}
}

func encodeThumbnail(small image.Image) []byte {
	var encoded bytes.Buffer
	if err := jpeg.Encode(&encoded, small, &jpeg.Options{Quality: thumbnailQuality}); err != nil {
		panic("a thumbnail does not encode: " + err.Error()) // its size is fixed, and memory takes it
	}
	return encoded.Bytes()
}

// missed says why some lists have no pictures.
func (p *pictures) missed() string {
	return strings.Join(slices.Sorted(maps.Keys(p.missing)), " ")
}
