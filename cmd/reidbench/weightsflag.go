package main

import (
	"github.com/spf13/pflag"

	"github.com/reidbench/reidbench/bench"
	"github.com/reidbench/reidbench/models"
)

// weightsFlag says where weights are: a folder, a file or MODEL=FILE, and that several times.
const weightsFlag = "weights"

func registerWeights(flags *pflag.FlagSet, w *bench.WeightsFiles, usage string) {
	flags.StringArrayVar((*[]string)(w), weightsFlag, nil, usage)
}

// mapWeights is another path in every value of the flag.
func mapWeights(f *pflag.Flag, path func(string) (string, error)) (bench.WeightsFiles, error) {
	return bench.WeightsFiles(f.Value.(pflag.SliceValue).GetSlice()).MapPaths(path)
}

// weightsOf is the file of one model.
func weightsOf(w bench.WeightsFiles, m models.Model) (string, error) {
	files, err := w.For([]models.Model{m})
	return files[m.Name], err
}
