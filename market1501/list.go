package market1501

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/reidbench/reidbench/market1501/layout"
	"github.com/reidbench/reidbench/results/regular"
)

// ErrList is wrapped by the error about a list of images that cannot be followed. The error names the file and, as
// far as there is one, the line.
var ErrList = errors.New("unusable list of images")

// maxListBytes is far beyond the lists of any dataset: MSMT17's longest has 4 MB.
const maxListBytes = 256 << 20

// readList returns what a list holds.
func readList(file string) ([]byte, error) {
	f, err := regular.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxListBytes+1))
	if err != nil {
		return nil, err
	}
	if len(content) > maxListBytes {
		return nil, fmt.Errorf("%s: %w: larger than %d MiB", file, ErrList, maxListBytes>>20)
	}
	return content, nil
}

// listError is an error about a line of a list.
func listError(file string, line int, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %w: %w", file, line, ErrList, fmt.Errorf(format, args...))
}

// listing takes in the images of one split as a list names them.
type listing struct {
	split *Split
	lines map[string]int // of the paths so far
}

// add takes in the image of a line.
func (l *listing) add(file string, name layout.Name, line int) error {
	if before, twice := l.lines[file]; twice {
		return fmt.Errorf("%q stands in line %d already", file, before)
	}
	if l.lines == nil {
		l.lines = map[string]int{}
	}
	l.lines[file] = line
	l.split.add(file, name, false, false)
	return nil
}

// sort puts the images in the order of their paths.
func (s *Split) sort() {
	slices.SortFunc(s.Entries, func(a, b Entry) int { return cmp.Compare(a.Path, b.Path) })
}

// listedPath is the path of an image in the form of [Entry]. Lists that were written on Windows have backslashes
// between folders.
func listedPath(text string) (string, error) {
	switch {
	case text == "":
		return "", errors.New("no path")
	case strings.ContainsFunc(text, unicode.IsControl):
		return "", fmt.Errorf("a path with a control character: %q", text)
	}
	return path.Clean(strings.ReplaceAll(text, `\`, "/")), nil
}

// listedNumber reads a pid or a camera.
func listedNumber(what, text string, least int64) (int, error) {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < least {
		return 0, fmt.Errorf("%s is %q, not a number from %d", what, text, least)
	}
	return int(n), nil
}

// The folders of MSMT17's images, in its first and in its second version.
var (
	msmt17Train = []string{"train", "mask_train_v2"}
	msmt17Test  = []string{"test", "mask_test_v2"}
)

// readMSMT17 reads the lists of train, query and gallery. That of the validation images is not read: they are no part
// of the training by which figures are published.
func (d *Dataset) readMSMT17(ctx context.Context) error {
	d.Layout = layout.MSMT17.Name
	for i, s := range d.Splits() {
		name := inMSMT17Lists.splits[i]
		*s = Split{Folder: name, root: d.Root, place: filepath.Join(d.Root, name)}
		folders := msmt17Test
		if s == &d.Train {
			folders = msmt17Train
		}
		at := slices.IndexFunc(folders, func(folder string) bool { return isDir(filepath.Join(d.Root, folder)) })
		if at < 0 {
			return fmt.Errorf("open dataset %s: %w: %s is there, but no folder %s", d.Root, ErrNotDataset, name,
				strings.Join(folders, " or "))
		}
		content, err := readList(s.place)
		if err != nil {
			return fmt.Errorf("open dataset: %w", err)
		}
		if err := s.readMSMT17List(ctx, content, folders[at]); err != nil {
			return err
		}
	}
	return nil
}

// readMSMT17List reads lines of a path below folder, a blank and an identity.
func (s *Split) readMSMT17List(ctx context.Context, content []byte, folder string) error {
	images, line := listing{split: s}, 0
	for text := range bytes.Lines(content) {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("open dataset %s: %w", s.place, err)
		}
		line++
		trimmed := strings.TrimSpace(string(text))
		if trimmed == "" {
			continue
		}
		if err := images.addMSMT17(trimmed, folder, line); err != nil {
			return fmt.Errorf("open dataset: %w", listError(s.place, line, "%w", err))
		}
	}
	s.sort()
	return nil
}

func (l *listing) addMSMT17(line, folder string, number int) error {
	at := strings.LastIndexByte(line, ' ')
	if at < 0 {
		return errors.New("no blank between path and identity")
	}
	file, err := listedPath(line[:at])
	if err != nil {
		return err
	}
	if !filepath.IsLocal(filepath.FromSlash(file)) {
		return fmt.Errorf("%q is not a path in the dataset", file)
	}
	name, err := layout.MSMT17.Parse(path.Base(file))
	if err != nil {
		return err
	}
	if name.PID, err = listedNumber("the identity", line[at+1:], JunkPID); err != nil {
		return err
	}
	return l.add(path.Join(folder, file), name, number)
}
