package bench

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/bench/weights/sources"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/models/graph"
)

// ErrNoWeights is wrapped by the error for models that no file of weights is found for.
var ErrNoWeights = errors.New("no weights")

// WeightsFiles says where models' weights are. Each entry is a folder, a file, or MODEL=FILE. A folder has files that
// begin with their model's name, or runs in folders of that name; a file's name begins so, too, unless it is the only
// one, for the only model.
type WeightsFiles []string

// weightsEnding is that of a file that holds weights. Some scripts write the epoch behind .pth.tar.
var weightsEnding = regexp.MustCompile(`\.(safetensors|pth|pt|pth\.tar(-\d+)?)$`)

// For finds the file of each of these models, by its name. What is not unique is an error that names the files. One
// that wraps [ErrNoWeights] names the models that have none, and what there is instead.
func (w WeightsFiles) For(list []models.Model) (map[string]string, error) {
	return w.find(list, func(models.Model) bool { return false })
}

// find is [WeightsFiles.For], but some of the models, not all, may have no file.
func (w WeightsFiles) find(list []models.Model, may func(models.Model) bool) (map[string]string, error) {
	s := weightsSearch{models: list, mayLack: may, named: map[string][]string{}, called: map[string][]string{}}
	var files []string
	for _, entry := range w {
		model, path := w.split(entry, list)
		if model != "" && !slices.ContainsFunc(list, func(m models.Model) bool { return m.Name == model }) {
			if _, err := models.Lookup(model); err != nil {
				return nil, fmt.Errorf("weights %s: %w", entry, err)
			}
			return nil, fmt.Errorf("weights %s: %s is not among the models", entry, model)
		}
		switch info, err := os.Stat(path); {
		case err != nil:
			return nil, fmt.Errorf("weights: %w", err)
		case model != "":
			s.named[model] = append(s.named[model], path)
		case info.IsDir():
			if err := s.searchFolder(path); err != nil {
				return nil, err
			}
		default:
			files = append(files, path)
		}
	}
	for _, path := range files {
		if len(files) == 1 && len(list) == 1 {
			s.named[list[0].Name] = append(s.named[list[0].Name], path)
		} else {
			s.take(path)
		}
	}
	return s.result(w)
}

// split takes an entry apart. What is there as a path is a path, whatever it has in it, and so is what has folders
// before its first equals sign. The model may be one that there isn't.
func (w WeightsFiles) split(entry string, list []models.Model) (model, path string) {
	name, path, ok := strings.Cut(entry, "=")
	if _, err := os.Stat(entry); !ok || err == nil || strings.ContainsAny(name, `/\`) {
		return "", entry
	}
	for _, m := range list {
		if strings.EqualFold(m.Name, name) {
			return m.Name, path
		}
	}
	if m, err := models.Lookup(name); err == nil {
		return m.Name, path
	}
	return name, path
}

// MapPaths is w with another path in every entry.
func (w WeightsFiles) MapPaths(path func(string) (string, error)) (WeightsFiles, error) {
	var mapped WeightsFiles
	for _, entry := range w {
		model, place := w.split(entry, nil)
		place, err := path(place)
		if err != nil {
			return nil, err
		}
		if model != "" {
			place = model + "=" + place
		}
		mapped = append(mapped, place)
	}
	return mapped, nil
}

// A weightsSearch is on for the files of some models.
type weightsSearch struct {
	models  []models.Model
	mayLack func(models.Model) bool // have no file
	named   map[string][]string     // files by the name of the model that they are said to be of
	called  map[string][]string     // files by the model that they are called like
	others  []string                // files that are called like none of the models
}

// searchFolder takes every file of the folder that may hold weights.
func (s *weightsSearch) searchFolder(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		left := filepath.Join(dir, e.Name(), store.WeightsFile)
		if weightsEnding.MatchString(strings.ToLower(e.Name())) && e.Type()&fs.ModeDir == 0 {
			s.take(filepath.Join(dir, e.Name()))
		} else if _, err := os.Stat(left); err == nil && s.wants(e.Name()) {
			s.called[e.Name()] = append(s.called[e.Name()], left)
		} else {
			s.others = append(s.others, e.Name())
		}
	}
	return nil
}

// wants reports whether a model of that name is among those that are sought.
func (s *weightsSearch) wants(name string) bool {
	return slices.ContainsFunc(s.models, func(m models.Model) bool { return m.Name == name })
}

// take notes a file for the models that it is called like.
func (s *weightsSearch) take(path string) {
	longest := longestName(strings.ToLower(filepath.Base(path)), append(models.All(), s.models...))
	found := false
	for _, m := range s.models {
		if longest != "" && slices.Contains(fileNames(m), longest) {
			s.called[m.Name] = append(s.called[m.Name], path)
			found = true
		}
	}
	if !found {
		s.others = append(s.others, filepath.Base(path))
	}
}

// fileNames are what files for the model are called: published ones of a network that stands beside a row's because
// that one differs are called like the row.
func fileNames(m models.Model) []string {
	names := m.WeightsNames()
	if row, err := models.Lookup(strings.TrimSuffix(m.Name, "-standard")); err == nil && row.Name != m.Name {
		names = append(slices.Clone(names), row.WeightsNames()...)
	}
	return names
}

// longestName is the longest name of a model that the file's name begins with, in lower case. After it comes no letter
// or digit: resnet101 is not resnet10.
func longestName(file string, list []models.Model) string {
	longest := ""
	for _, m := range list {
		for _, name := range m.WeightsNames() {
			rest, ok := strings.CutPrefix(file, name)
			if next, _ := utf8.DecodeRuneInString(rest); ok && !unicode.IsLetter(next) && !unicode.IsDigit(next) &&
				len(name) > len(longest) {
				longest = name
			}
		}
	}
	return longest
}

// result is the file of each model.
func (s *weightsSearch) result(w WeightsFiles) (map[string]string, error) {
	files := map[string]string{}
	var without, lacking []string
	for _, m := range s.models {
		found := s.named[m.Name]
		if len(found) == 0 {
			found = s.called[m.Name]
		}
		switch {
		case len(found) == 0 && s.mayLack(m):
			lacking = append(lacking, m.Name)
		case len(found) == 0:
			without = append(without, m.Name)
		case len(found) == 1:
			files[m.Name] = found[0]
		default:
			return nil, fmt.Errorf("several files of weights for %s: %s; say %s=FILE", m.Name,
				strings.Join(found, ", "), m.Name)
		}
	}
	if len(files) == 0 {
		without = append(without, lacking...)
	}
	if len(without) > 0 {
		return nil, fmt.Errorf("%w in %s for %s: a file's name begins with its model's, for example %s.safetensors, "+
			".pth or .pt, or say %[4]s=FILE; there is %[5]s", ErrNoWeights, strings.Join(w, ", "),
			strings.Join(without, ", "), without[0], s.instead())
	}
	return files, nil
}

// instead says what there is that no model goes by.
func (s *weightsSearch) instead() string {
	const most = 8
	others := slices.Compact(slices.Sorted(slices.Values(s.others)))
	for _, model := range slices.Sorted(maps.Keys(s.called)) {
		others = append(others, s.called[model]...)
	}
	more := ""
	if len(others) > most {
		more = fmt.Sprintf(" and %d more", len(others)-most)
		others = others[:most]
	}
	if len(others) == 0 {
		return "no file at all"
	}
	return strings.Join(others, ", ") + more
}

// findPretrained finds the file of weights that each model begins with, and holds those of the scope's jobs against
// their networks, so that what cannot be loaded is known before anything is done. A model that cannot be built needs
// none, and beside others one that nobody publishes weights for begins at random, which is told.
func (c *Config) findPretrained(s scope) (map[string]string, error) {
	if len(c.Weights) == 0 {
		return nil, nil
	}
	const classes = 2 // any will do: a classifier of other classes is left out
	var list []models.Model
	graphs := map[string]*graph.Graph{}
	for _, m := range c.Models {
		if g, err := m.As(c.Recipe.Variant()).Graph(classes); err == nil {
			list, graphs[m.Name] = append(list, m), g
		}
	}
	unpublished := func(m models.Model) bool { return sources.WhyAbsent(m.Name) != "" }
	files, err := c.Weights.find(list, unpublished)
	if err != nil {
		return nil, err
	}
	for i, m := range c.Models {
		g := graphs[m.Name]
		if g == nil || !s.includes(i, len(c.Models)) {
			continue
		}
		if files[m.Name] == "" {
			text := "begins with random weights: " + sources.WhyAbsent(m.Name)
			c.Progress.Report(progress.Event{Kind: progress.Noted, Job: m.Name, Text: text})
			continue
		}
		if err := c.WeightsSource.fit(files[m.Name], m, g); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// includes reports whether any job of model i, of so many, is in the scope.
func (s scope) includes(i, models int) bool {
	return len(s.only) == 0 || slices.ContainsFunc(s.only, func(n int) bool { return n%models == i })
}
