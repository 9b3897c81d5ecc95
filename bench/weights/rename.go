package weights

import (
	"fmt"
	"slices"
	"strings"

	"github.com/reidbench/reidbench/bench/weights/internal/tensor"
)

// Renamed is the same open file under other names: closing either closes it. The error is for two tensors that would
// have one name.
func (a *Archive) Renamed(rename func(name string) string) (*Archive, error) {
	renamed := *a
	renamed.tensors = slices.Clone(a.tensors)
	for i := range renamed.tensors {
		renamed.tensors[i].Name = rename(renamed.tensors[i].Name)
	}
	if err := renamed.sort(); err != nil {
		return nil, fmt.Errorf("%s: %w", a.path, err)
	}
	return &renamed, nil
}

// sort puts the tensors in order and refuses two of one name.
func (a *Archive) sort() error {
	slices.SortFunc(a.tensors, func(s, t tensor.View) int { return strings.Compare(s.Name, t.Name) })
	for i := 1; i < len(a.tensors); i++ {
		if a.tensors[i].Name == a.tensors[i-1].Name {
			return fmt.Errorf("two tensors stand for %q", a.tensors[i].Name)
		}
	}
	return nil
}

// Closest is the archive under the names that come closest to a network's: its own, or those that one of the
// renamings gives it, each also without the path of the module that most names are within; where the fewest tensors are
// missing or surplus. [Match] names such a path.
func (a *Archive) Closest(n Network, renamings ...func(name string) string) *Archive {
	best, least := a, a.Strangers(n)
	for _, path := range append([]string{""}, a.parts()...) {
		within, err := a.without(path)
		if err != nil {
			continue
		}
		for _, rename := range append([]func(string) string{nil}, renamings...) {
			renamed := within
			if rename != nil {
				if renamed, err = within.Renamed(rename); err != nil {
					continue // these are not the file's names
				}
			}
			if count := renamed.Strangers(n); count < least {
				best, least = renamed, count
			}
		}
	}
	return best
}

// parts are the paths that more than half of the names are within, the shortest first. Each is the begin of the next.
func (a *Archive) parts() []string {
	const deepest = 8 // a module's name may be within it, but hardly deeper
	var paths []string
	for path := ""; len(paths) < deepest; {
		within := map[string]int{}
		for _, t := range a.tensors {
			if rest, ok := strings.CutPrefix(t.Name, path); ok {
				if module, _, ok := strings.Cut(rest, "."); ok {
					within[module]++
				}
			}
		}
		most := ""
		for module, count := range within {
			if 2*count > len(a.tensors) {
				most = module
			}
		}
		if most == "" {
			break
		}
		path += most + "."
		paths = append(paths, path)
	}
	return paths
}

// without is the archive without a path that names begin with. Those that don't stay as they are.
func (a *Archive) without(path string) (*Archive, error) {
	if path == "" {
		return a, nil
	}
	within, err := a.Renamed(func(name string) string { return strings.TrimPrefix(name, path) })
	if err != nil {
		return nil, err
	}
	within.part = path
	return within, nil
}

// Changes reports whether a renaming gives any tensor another name, as it is or within the path that most names are
// within.
func (a *Archive) Changes(rename func(name string) string) bool {
	for _, path := range append([]string{""}, a.parts()...) {
		for _, t := range a.tensors {
			if name := strings.TrimPrefix(t.Name, path); rename(name) != name {
				return true
			}
		}
	}
	return false
}

// Has reports whether there is a tensor of that name, or one within the path that most names are within.
func (a *Archive) Has(name string) bool {
	for _, path := range append([]string{""}, a.parts()...) {
		if _, ok := a.find(path + name); ok {
			return true
		}
	}
	return false
}

// Strangers counts the names that only one of the archive and the network has: of the names that an archive might go
// by, those with the fewest are the network's.
func (a *Archive) Strangers(n Network) int {
	count := 0
	wanted := make(map[string]bool, len(n.Names))
	for _, name := range n.Names {
		wanted[name] = true
		if _, ok := a.find(name); !ok {
			count++
		}
	}
	for _, t := range a.tensors {
		known := wanted[t.Name] || slices.Contains(n.Leaves, t.Name)
		if !known && !isCounter(t.Name) && !isCost(t.Name) && !isAuxiliary(t.Name) {
			count++
		}
	}
	return count
}
