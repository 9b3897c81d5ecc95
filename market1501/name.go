package market1501

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Identities that are no persons to be found.
const (
	JunkPID       = -1 // left out everywhere
	DistractorPID = 0  // in the gallery only, never a match
)

// ErrName is wrapped by the errors of [ParseName].
var ErrName = errors.New("not a Market-1501 file name")

// Name is what a file name says about its image.
type Name struct {
	PID   int // identity; JunkPID and DistractorPID are no persons
	CamID int // camera, from 1
}

// ParseName reads PID_cCAMsSEQUENCE_FRAME_DETECTION.jpg (Market-1501) or
// PID_cCAM_fFRAME.jpg (DukeMTMC-reID). The error wraps [ErrName] and names the
// file.
func ParseName(file string) (Name, error) {
	fail := func(why string) (Name, error) {
		return Name{}, fmt.Errorf("%w: %q: %s", ErrName, file, why)
	}
	stem, ok := cutJPEGSuffix(file)
	if !ok {
		return fail("does not end in .jpg")
	}
	pidText, rest, ok := strings.Cut(stem, "_")
	if !ok {
		return fail("no _ after the identity")
	}
	pid := JunkPID
	if pidText != "-1" {
		if pid, ok = number(pidText); !ok {
			return fail("the identity is not a number")
		}
	}
	camera, rest, ok := strings.Cut(rest, "_")
	if !ok {
		return fail("no _ after the camera")
	}
	camText, ok := strings.CutPrefix(camera, "c")
	if !ok {
		return fail("the camera does not begin with c")
	}
	camText, sequence, hasSequence := strings.Cut(camText, "s")
	cam, ok := number(camText)
	if !ok || cam == 0 {
		return fail("the camera is not a number from 1")
	}
	if !hasSequence {
		frame, isFrame := strings.CutPrefix(rest, "f")
		if _, ok := number(frame); !isFrame || !ok {
			return fail("no frame number after the camera")
		}
		return Name{PID: pid, CamID: cam}, nil
	}
	if _, ok := number(sequence); !ok {
		return fail("the sequence is not a number")
	}
	frame, detection, _ := strings.Cut(rest, "_")
	if _, ok := number(frame); !ok {
		return fail("the frame is not a number")
	}
	if _, ok := number(detection); !ok {
		return fail("the detection is not a number")
	}
	return Name{PID: pid, CamID: cam}, nil
}

// number reads up to nine decimal digits, so that every number fits an int32.
func number(s string) (int, bool) {
	if len(s) == 0 || len(s) > 9 {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.Atoi(s)
	return n, err == nil
}

// cutJPEGSuffix removes .jpg or .jpeg in any case; copies of the dataset are
// about in which some files carry it twice.
func cutJPEGSuffix(file string) (stem string, ok bool) {
	stem = file
	for {
		dot := strings.LastIndexByte(stem, '.')
		if dot < 0 {
			return stem, ok
		}
		switch strings.ToLower(stem[dot:]) {
		case ".jpg", ".jpeg":
			stem, ok = stem[:dot], true
		default:
			return stem, ok
		}
	}
}
