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
// renamings gives it, where fewer tensors are missing or surplus.
func (a *Archive) Closest(n Network, renamings ...func(name string) string) *Archive {
	best, least := a, a.strangers(n)
	for _, rename := range renamings {
		renamed, err := a.Renamed(rename)
		if err != nil {
			continue // these are not the file's names
		}
		if count := renamed.strangers(n); count < least {
			best, least = renamed, count
		}
	}
	return best
}

// strangers counts the names that only one of the archive and the network has.
func (a *Archive) strangers(n Network) int {
	count := 0
	wanted := make(map[string]bool, len(n.Names))
	for _, name := range n.Names {
		wanted[name] = true
		if _, ok := a.find(name); !ok {
			count++
		}
	}
	for _, t := range a.tensors {
		if !wanted[t.Name] && !isCounter(t.Name) && !isCost(t.Name) && !isAuxiliary(t.Name) {
			count++
		}
	}
	return count
}
