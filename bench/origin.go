package bench

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/bench/weights"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/models/graph"
)

// A WeightsSource says whose a file of weights is, and what its images were normalised by, where neither can be told
// from the file. The zero value leaves both to be told.
type WeightsSource struct {
	Name  string // of a [models.Source] of the model, or ownSource
	Input models.Normalisation
}

// ownSource is the name of a network as it is here, which takes nothing else for granted.
const ownSource = "reidbench"

// ParseWeightsSource reads a source's name, a normalisation's, or both with a comma between them.
func ParseWeightsSource(text string) (WeightsSource, error) {
	var s WeightsSource
	if text == "" {
		return s, nil
	}
	for _, part := range strings.Split(text, ",") {
		input := models.Normalisation(part)
		switch {
		case slices.Contains(models.Normalisations(), input) && s.Input == "":
			s.Input = input
		case s.Name == "" && (part == ownSource || slices.Contains(models.SourceNames(), part)):
			s.Name = part
		default:
			return s, fmt.Errorf("source of weights %q: %q is none of %s, %s, and no normalisation: %s", text, part,
				ownSource, strings.Join(models.SourceNames(), ", "), join(models.Normalisations()))
		}
	}
	return s, nil
}

// String is what ParseWeightsSource reads.
func (s WeightsSource) String() string {
	return strings.Trim(s.Name+","+string(s.Input), ",")
}

// join lists names.
func join[T ~string](names []T) string {
	var list []string
	for _, name := range names {
		list = append(list, string(name))
	}
	return strings.Join(list, ", ")
}

// An origin is whose files an archive is one of, under the names that its tensors have here.
type origin struct {
	archive     *weights.Archive
	network     weights.Network
	source      string
	conventions models.Conventions
	guessed     []string // the other sources that it may as well be of, which take other things for granted
}

// A candidate is a source and how many tensors would be strangers if the archive were of it.
type candidate struct {
	models.Source
	archive   *weights.Archive
	strangers int
}

// originOf finds whose file an archive is. Those that reidbench wrote say so. Of the others' sources those are left
// whose names fit best; of them the one whose files are called like it, else the first.
func (s WeightsSource) originOf(
	a *weights.Archive, m models.Model, g *graph.Graph, file publishedFile,
) (origin, error) {
	network := publishedNetwork(g)
	sources := append(slices.Clone(m.Sources), models.Source{Name: ownSource})
	if _, ours := store.TrainedAs(a.Metadata()); ours {
		sources = []models.Source{{Name: ownSource}}
	} else if s.Name != "" {
		sources = slices.DeleteFunc(sources, func(o models.Source) bool { return o.Name != s.Name })
		if len(sources) == 0 {
			return origin{}, fmt.Errorf("%s: %s has no source %s, only %s", a.Path(), m.Name, s.Name, sourceNames(m))
		}
	}
	var fits []candidate
	for _, source := range sources {
		if len(source.Modules) > 1 && !a.Changes(source.Modules.Rename) && s.Name == "" {
			continue // it has more names of its own than the classifier's, and the archive has none of them
		}
		network.Leaves = source.Leaves
		closest := a.Closest(network, source.Modules.Rename)
		c := candidate{source, closest, closest.Strangers(network)}
		if source.Head != "" && !a.Has(source.Head+".weight") {
			c.strangers++
		}
		fits = append(fits, c)
	}
	least := slices.MinFunc(fits, func(x, y candidate) int { return cmp.Compare(x.strangers, y.strangers) }).strangers
	fits = slices.DeleteFunc(fits, func(c candidate) bool { return c.strangers != least })
	best := slices.IndexFunc(fits, func(c candidate) bool { return c.Called(file.name) })
	told := best >= 0
	chosen := fits[max(best, 0)]
	network.Leaves, network.Tokens = chosen.Leaves, chosen.Tokens
	o := origin{archive: chosen.archive, network: network, source: chosen.Name}
	o.conventions = chosen.Of(file.name)
	for _, other := range fits {
		if c := other.Of(file.name); !told && c != o.conventions {
			o.guessed = append(o.guessed, other.Name)
		}
	}
	o.conventions.Input = cmp.Or(s.Input, file.input, o.conventions.Input, models.ImageNet)
	return o, nil
}

// sourceNames lists a model's.
func sourceNames(m models.Model) string {
	names := []string{ownSource}
	for _, source := range m.Sources {
		names = append(names, source.Name)
	}
	return strings.Join(names, ", ")
}

// A publishedFile is what the place of a file of weights tells of it.
type publishedFile struct {
	name  string               // lower-case, without an ending
	input models.Normalisation // "": not said
}

// describeFile takes a file by its name.
func describeFile(path string) publishedFile {
	name := strings.ToLower(filepath.Base(path))
	return publishedFile{name: strings.TrimSuffix(name, filepath.Ext(name))}
}

// note says in one line what was taken for granted, "" for nothing.
func (o origin) note(did []string) string {
	var parts []string
	if len(o.guessed) > 0 {
		parts = append(parts, fmt.Sprintf("taken for %s's, which nothing in the file says: --weights-source %s if it "+
			"is not", o.source, strings.Join(o.guessed, " or ")))
	}
	if o.conventions.Differs != "" {
		parts = append(parts, fmt.Sprintf("%s's network gives other features: %s", o.source, o.conventions.Differs))
	}
	return strings.Join(append(parts, did...), "; ")
}
