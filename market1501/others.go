package market1501

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/reidbench/reidbench/market1501/layout"
)

// Others are files of one ending that lie among a split's images and are none by
// their names, or folders.
type Others struct {
	Ending  string // ".bmp"; "hidden", "folder", or "" for names without one
	Count   int
	Example string // path of the first
}

// Endings that are no file's.
const (
	hiddenEnding = "hidden" // .DS_Store, and the ._*.jpg that archives made on a Mac bring along
	folderEnding = "folder"
)

func (o Others) String() string {
	kind := o.Ending
	switch o.Ending {
	case "":
		kind = "without an ending"
	case folderEnding:
		if o.Count > 1 {
			kind = "folders"
		}
	}
	return fmt.Sprintf("%d %s (%s)", o.Count, kind, o.Example)
}

// Clutter reports whether systems leave such files in any folder.
func (o Others) Clutter() bool {
	return slices.Contains([]string{hiddenEnding, ".db", ".ini"}, o.Ending)
}

// ending is what [Others] counts a file under, and whether the file is an image by its name.
func ending(file fs.DirEntry) (ending string, image bool) {
	switch name := file.Name(); {
	case file.IsDir():
		return folderEnding, false
	case strings.HasPrefix(name, "."):
		return hiddenEnding, false
	default:
		_, image = layout.CutSuffix(name)
		return strings.ToLower(path.Ext(name)), image
	}
}

// addOther counts one more file or folder of that path.
func (s *Split) addOther(ending, example string) {
	i := slices.IndexFunc(s.Others, func(o Others) bool { return o.Ending == ending })
	if i < 0 {
		i = len(s.Others)
		s.Others = append(s.Others, Others{Ending: ending, Example: example})
	}
	s.Others[i].Count++
}

// OtherFiles is the number of files and folders that lie among the split's images and are none.
func (s *Split) OtherFiles() int { return countOthers(s.Others) }

func countOthers(others []Others) int {
	n := 0
	for _, o := range others {
		n += o.Count
	}
	return n
}

// Unread says which files lie among the images and are not read, but for what systems leave behind; "" if none do.
func (s *Split) Unread() string { return s.others(false) }

// others lists what is clutter, or what is none.
func (s *Split) others(clutter bool) string {
	var parts []string
	for _, o := range s.Others {
		if o.Clutter() == clutter {
			parts = append(parts, o.String())
		}
	}
	return strings.Join(parts, ", ")
}
