package flops

import (
	"fmt"
	"io"

	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results/atomicfile"
)

// Update writes the models' figures to path, the source tree's flops/figures.json, as a whole.
func Update(path string, list []models.Model) error {
	data, err := marshal(list)
	if err != nil {
		return err
	}
	err = atomicfile.Write(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
	if err != nil {
		return fmt.Errorf("writing the figures: %w", err)
	}
	return nil
}
