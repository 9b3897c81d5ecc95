// Package layout knows how datasets for re-identification name their images: which identity a file shows, and which
// camera has seen it.
//
// The names of no two layouts look alike, so that one file tells which layout a dataset has.
package layout

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrName is wrapped by the errors of [Layout.Parse].
	ErrName = errors.New("not a name of this layout")
	// ErrUnknown is wrapped by the error of [Named].
	ErrUnknown = errors.New("unknown layout")
)

// Junk is the identity of images that are left out everywhere, in every layout.
const Junk = -1

// Name is what a file name says about its image.
type Name struct {
	PID   int // identity, or Junk
	CamID int // camera, from 1
}

// Layout is how a dataset names its images.
type Layout struct {
	Name    string // as it is chosen
	Title   string // as people call it
	Example string // a file name
	// Distractors says that the identity 0 is none: such images are found by queries, and match none. Elsewhere it is
	// a person as any other.
	Distractors bool

	parse func(fields []string) (Name, error)
}

// The layouts.
var (
	// Market1501 is that of Zheng et al., ICCV 2015: PID_cCAMsSEQUENCE_FRAME_DETECTION.
	Market1501 = Layout{
		Name: "market1501", Title: "Market-1501", Example: "0002_c1s1_000451_03.jpg", Distractors: true,
		parse: parseMarket1501,
	}
	// DukeMTMC is that of DukeMTMC-reID (Zheng et al., ICCV 2017) and of Occluded-DukeMTMC (Miao et al., ICCV 2019):
	// PID_cCAM_fFRAME.
	DukeMTMC = Layout{
		Name: "dukemtmc", Title: "DukeMTMC-reID or Occluded-DukeMTMC", Example: "0005_c2_f0046985.jpg",
		Distractors: true, parse: parseDukeMTMC,
	}
	// CUHK03 is that of CUHK03-NP (Zhong et al., CVPR 2017): PID_cCAM_NUMBER.
	CUHK03 = Layout{Name: "cuhk03", Title: "CUHK03-NP", Example: "0001_c1_1.png", parse: parseCUHK03}
	// VeRi776 is that of Liu et al., ECCV 2016, whose identities are vehicles: PID_cCAM_FRAME_NUMBER.
	VeRi776 = Layout{Name: "veri776", Title: "VeRi-776", Example: "0002_c002_00030600_0.jpg", parse: parseVeRi776}
	// MSMT17 is that of Wei et al., CVPR 2018: PID_NUMBER_CAM_TIME_FRAME_NUMBER.
	MSMT17 = Layout{
		Name: "msmt17", Title: "MSMT17", Example: "0000_000_01_0303morning_0008_0.jpg", parse: parseMSMT17,
	}
)

// All lists the layouts.
func All() []Layout { return []Layout{Market1501, DukeMTMC, CUHK03, VeRi776, MSMT17} }

// Named returns the layout of that name. The error wraps [ErrUnknown] and names those that there are.
func Named(name string) (Layout, error) {
	var names []string
	for _, l := range All() {
		if l.Name == name {
			return l, nil
		}
		names = append(names, l.Name)
	}
	return Layout{}, fmt.Errorf("%w %q: there are %s", ErrUnknown, name, strings.Join(names, ", "))
}

// String is the layout's name and its example.
func (l Layout) String() string { return fmt.Sprintf("%s (%s)", l.Name, l.Example) }

// Parse reads the name of an image file. The error wraps [ErrName] and names the file.
func (l Layout) Parse(file string) (Name, error) {
	stem, ok := CutSuffix(file)
	if !ok {
		return Name{}, fmt.Errorf("%q: %w, %s: it does not end in .jpg, .jpeg or .png", file, ErrName, l.Name)
	}
	name, err := l.parse(strings.Split(stem, "_"))
	if err != nil {
		return Name{}, fmt.Errorf("%q: %w, %s: %w", file, ErrName, l.Name, err)
	}
	return name, nil
}

// Most returns the layout that most of the files have, the first in [All] of equally frequent ones. ok reports whether
// any file has any.
func Most(files []string) (most Layout, ok bool) {
	best := 0
	for _, l := range All() {
		count := 0
		for _, file := range files {
			if _, err := l.Parse(file); err == nil {
				count++
			}
		}
		if count > best {
			best, most = count, l
		}
	}
	return most, best > 0
}

// CutSuffix removes .jpg, .jpeg or .png in any case; copies of datasets are about in which some files carry it twice.
func CutSuffix(file string) (stem string, ok bool) {
	stem = file
	for {
		dot := strings.LastIndexByte(stem, '.')
		if dot < 0 {
			return stem, ok
		}
		switch strings.ToLower(stem[dot:]) {
		case ".jpg", ".jpeg", ".png":
			stem, ok = stem[:dot], true
		default:
			return stem, ok
		}
	}
}
