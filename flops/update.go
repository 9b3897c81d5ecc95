package flops

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/reidbench/reidbench/models"
)

// Update writes the models' figures to path, the source tree's flops/figures.json. The file is
// written whole: to a temporary file beside it first, which then takes its name.
func Update(path string, list []models.Model) error {
	data, err := Marshal(list)
	if err != nil {
		return err
	}
	if err := replace(path, data); err != nil {
		return fmt.Errorf("writing the figures to %s: %w", path, err)
	}
	return nil
}

func replace(path string, data []byte) (err error) {
	folder := filepath.Dir(path)
	temp, err := os.CreateTemp(folder, filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = temp.Close()
			_ = os.Remove(temp.Name())
		}
	}()
	if _, err = temp.Write(data); err != nil {
		return err
	}
	if err = temp.Chmod(0o644); err != nil {
		return err
	}
	if err = temp.Sync(); err != nil {
		return err
	}
	if err = temp.Close(); err != nil {
		return err
	}
	if err = os.Rename(temp.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
