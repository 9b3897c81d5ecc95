package market1501

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/reidbench/reidbench/market1501/layout"
)

// arrangement is where a dataset has its train, query and gallery split: in folders, or in lists of files.
type arrangement struct {
	splits [3]string
	lists  bool
}

// The folders of the three splits in Market-1501's arrangement.
const (
	trainFolder   = "bounding_box_train"
	queryFolder   = "query"
	galleryFolder = "bounding_box_test"
)

var splitFolders = [...]string{trainFolder, queryFolder, galleryFolder}

// The arrangements, tried in this order. Any layout of names may stand in any of folders.
var (
	inMarketFolders = arrangement{splits: splitFolders}
	inVeRiFolders   = arrangement{splits: [...]string{"image_train", "image_query", "image_test"}}
	inMSMT17Lists   = arrangement{
		splits: [...]string{"list_train.txt", "list_query.txt", "list_gallery.txt"}, lists: true,
	}

	arrangements = []arrangement{inMarketFolders, inVeRiFolders, inMSMT17Lists}
)

func (a arrangement) String() string { return strings.Join(a.splits[:], ", ") }

// fits reports whether names may be of the layout that was asked for; "" is any.
func (a arrangement) fits(named string) bool {
	return !a.lists || named == "" || named == layout.MSMT17.Name
}

// missing are the splits that are not in dir.
func (a arrangement) missing(dir string) []string {
	var missing []string
	for _, name := range a.splits {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.IsDir() == a.lists {
			missing = append(missing, name)
		}
	}
	return missing
}

// wants are those of the missing splits that the opener needs.
func (o Opener) wants(a arrangement, missing []string) []string {
	if o.TestOnly && len(missing) > 0 && missing[0] == a.splits[0] {
		return missing[1:]
	}
	return missing
}

// nearest is the arrangement of which dir has the most, and what it lacks.
func (o Opener) nearest(dir string) (nearest arrangement, missing []string) {
	for i, a := range arrangements {
		if !a.fits(o.Layout) {
			continue
		}
		if its := a.missing(dir); i == 0 || len(its) < len(missing) {
			nearest, missing = a, its
		}
	}
	return nearest, missing
}

// findRoot finds the folder that holds the splits: dir, or the one folder in it that does.
func (o Opener) findRoot(ctx context.Context, dir string) (root string, found arrangement, err error) {
	fail := func(format string, args ...any) (string, arrangement, error) {
		return "", arrangement{}, fmt.Errorf("open dataset %s: %w%w", dir, ErrNotDataset, fmt.Errorf(format, args...))
	}
	if info, err := os.Stat(dir); err != nil {
		return "", arrangement{}, fmt.Errorf("open dataset: %w", err)
	} else if !info.IsDir() {
		return fail(": a file, neither a folder nor a .csv")
	}
	nearest, missing := o.nearest(dir)
	if len(o.wants(nearest, missing)) == 0 {
		return dir, nearest, nil
	}
	if len(missing) < len(nearest.splits) {
		return fail(": no %s", strings.Join(o.wants(nearest, missing), ", "))
	}
	children, err := readFolder(ctx, dir)
	if err != nil {
		return "", arrangement{}, fmt.Errorf("open dataset: %w", err)
	}
	var names []string
	for _, child := range children {
		if err := ctx.Err(); err != nil {
			return "", arrangement{}, fmt.Errorf("open dataset %s: %w", dir, err)
		}
		if child.Type().IsRegular() || strings.HasPrefix(child.Name(), ".") {
			continue // hidden is what a killed Synthesize has left, for one
		}
		inner := filepath.Join(dir, child.Name())
		if a, missing := o.nearest(inner); len(o.wants(a, missing)) == 0 {
			names = append(names, child.Name())
			root, found = inner, a
		}
	}
	switch len(names) {
	case 0:
		var tried []string
		for _, a := range arrangements {
			if a.fits(o.Layout) {
				tried = append(tried, a.String())
			}
		}
		return fail(": neither it nor a folder in it holds %s", strings.Join(tried, "; or "))
	case 1:
		return root, found, nil
	}
	return fail(" but a folder of several, name one: %s", strings.Join(names, ", "))
}
