package bench

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/bench/weights"
	"github.com/reidbench/reidbench/models"
)

// ErrOtherModel is wrapped by the error about weights of a run that was another model's: names and shapes alone don't
// tell senet154 from senet154-standard.
var ErrOtherModel = errors.New("weights of another model")

// checkTrainedAs holds weights that a run has left against the model. A distilled row and the same network without a
// teacher may have each other's.
func checkTrainedAs(a *weights.Archive, m models.Model) error {
	name, ok := store.TrainedAs(a.Metadata())
	if !ok || goesBy(m, name) {
		return nil
	}
	if trained, err := models.Lookup(name); err == nil && goesBy(trained, m.Name) {
		return nil
	}
	return fmt.Errorf("%s: %w: they were trained as %s, not as %s", a.Path(), ErrOtherModel, name, m.Name)
}

func goesBy(m models.Model, name string) bool {
	return slices.Contains(m.WeightsNames(), strings.ToLower(name))
}

// standardNote says of a file from elsewhere that the row's network is not the published one, "" if it is.
func standardNote(a *weights.Archive, m models.Model) string {
	standard, ok := m.Standard()
	if _, ours := store.TrainedAs(a.Metadata()); !ok || ours {
		return ""
	}
	return fmt.Sprintf("the file doesn't say whether its network is %s or %s, which have the same names and shapes; "+
		"published files are of %[2]s", m.Name, standard.Name)
}
