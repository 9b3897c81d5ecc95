package layout

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

func parseMarket1501(fields []string) (Name, error) {
	if len(fields) != 4 {
		return Name{}, fmt.Errorf("%d parts between _, not 4", len(fields))
	}
	camera, sequence, ok := strings.Cut(fields[1], "s")
	if !ok {
		return Name{}, errors.New("no sequence after the camera")
	}
	for _, part := range []struct{ what, text string }{
		{"sequence", sequence}, {"frame", fields[2]}, {"detection", fields[3]},
	} {
		if _, ok := number(part.text); !ok {
			return Name{}, fmt.Errorf("the %s is not a number", part.what)
		}
	}
	return seenBy(fields[0], camera)
}

func parseDukeMTMC(fields []string) (Name, error) {
	if len(fields) != 3 {
		return Name{}, fmt.Errorf("%d parts between _, not 3", len(fields))
	}
	frame, isFrame := strings.CutPrefix(fields[2], "f")
	if _, ok := number(frame); !isFrame || !ok {
		return Name{}, errors.New("no f and a frame number after the camera")
	}
	return seenBy(fields[0], fields[1])
}

func parseCUHK03(fields []string) (Name, error) {
	if len(fields) != 3 {
		return Name{}, fmt.Errorf("%d parts between _, not 3", len(fields))
	}
	if _, ok := number(fields[2]); !ok {
		return Name{}, errors.New("what follows the camera is not a number")
	}
	return seenBy(fields[0], fields[1])
}

func parseVeRi776(fields []string) (Name, error) {
	if len(fields) != 4 {
		return Name{}, fmt.Errorf("%d parts between _, not 4", len(fields))
	}
	for _, field := range fields[2:] {
		if _, ok := number(field); !ok {
			return Name{}, errors.New("what follows the camera are not two numbers")
		}
	}
	return seenBy(fields[0], fields[1])
}

// parseMSMT17 asks little of what follows the camera: it differs between the versions that are about.
func parseMSMT17(fields []string) (Name, error) {
	if len(fields) < 4 {
		return Name{}, fmt.Errorf("%d parts between _, fewer than 4", len(fields))
	}
	if _, ok := number(fields[1]); !ok {
		return Name{}, errors.New("the second part is not a number")
	}
	for _, field := range fields[3:] {
		if field == "" || strings.ContainsFunc(field, func(r rune) bool { return !isWord(r) }) {
			return Name{}, errors.New("what follows the camera are not words and numbers")
		}
	}
	return seenBy(fields[0], "c"+fields[2])
}

func isWord(r rune) bool {
	return '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || r == '-' || r == '.'
}

// seenBy reads an identity and a camera, which begins with c.
func seenBy(identity, camera string) (Name, error) {
	pid := Junk
	if identity != "-1" {
		var ok bool
		if pid, ok = number(identity); !ok {
			return Name{}, errors.New("the identity is not a number")
		}
	}
	digits, isCamera := strings.CutPrefix(camera, "c")
	if !isCamera {
		return Name{}, errors.New("the camera does not begin with c")
	}
	cam, ok := number(digits)
	if !ok || cam == 0 {
		return Name{}, errors.New("the camera is not a number from 1")
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
