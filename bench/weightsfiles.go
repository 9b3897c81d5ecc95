package bench

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/reidbench/reidbench/models"
)

// ErrNoWeights is wrapped by the error for models without a file in the folder of published weights.
var ErrNoWeights = errors.New("no published weights")

// hashSuffix is what torchvision's files have between name and ending: the begin of their SHA-256.
var hashSuffix = regexp.MustCompile(`-[0-9a-f]{8}$`)

// findPretrained returns the one file in dir that is called like the model, by its name, row or
// alias and in any case, "" if there is none.
func findPretrained(dir string, m models.Model) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	names := m.WeightsNames()
	var found []string
	for _, entry := range entries {
		ending := filepath.Ext(entry.Name())
		name := strings.ToLower(strings.TrimSuffix(entry.Name(), ending))
		switch ending {
		case ".safetensors", ".pth", ".pt":
			if slices.Contains(names, name) || slices.Contains(names, hashSuffix.ReplaceAllString(name, "")) {
				found = append(found, entry.Name())
			}
		}
	}
	switch len(found) {
	case 0:
		return "", nil
	case 1:
		return filepath.Join(dir, found[0]), nil
	}
	return "", fmt.Errorf("%s: several files are called like %s: %s", dir, m.Name, strings.Join(found, ", "))
}

// findPretrained finds every job's file of published weights and holds it against the network,
// so that what cannot be loaded is known before anything is trained.
func (r *runner) findPretrained() error {
	if r.config.Weights == "" {
		return nil
	}
	var without []string
	for _, j := range r.jobs {
		if j.unbuilt != nil {
			continue
		}
		path, err := findPretrained(r.config.Weights, j.model)
		if err != nil {
			return err
		}
		if path == "" {
			without = append(without, j.model.Name)
			continue
		}
		if err := j.begin(path); err != nil {
			return err
		}
	}
	if len(without) > 0 {
		return fmt.Errorf("%w in %s for %s: a file is called like its model, for example %s.safetensors, .pth or .pt",
			ErrNoWeights, r.config.Weights, strings.Join(without, ", "), without[0])
	}
	return nil
}
