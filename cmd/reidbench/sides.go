package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/reidbench/reidbench/bench"
	"github.com/reidbench/reidbench/bench/machine"
	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/results"
	"github.com/reidbench/reidbench/results/regular"
)

// sideOptions say where the sides of a comparison are found.
type sideOptions struct {
	runs     string
	protocol recipe.Protocol // of features
	threads  int
}

// side is one of the two that are compared.
type side struct {
	what    string // for people
	runs    []results.Queries
	records []results.Record // of runs; none: of a file
	gallery []results.Image  // of a file of features
	digest  string           // of the file's content, or of the weights of all runs; "": not known
}

// find resolves a word of the command line: a file, a folder of a run, or a model in the folder of the runs.
func (o sideOptions) find(ctx context.Context, name string) (side, error) {
	info, err := os.Stat(name)
	if err == nil && !info.IsDir() {
		return o.ofFile(ctx, name)
	}
	if err == nil {
		if _, err := os.Stat(filepath.Join(name, results.File)); err == nil {
			return ofFolder(name)
		}
	}
	records, _, err := results.Load(o.runs)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return side{}, err
	}
	records = slices.DeleteFunc(records, func(r results.Record) bool {
		return r.State != results.StateDone || r.Model != name && printedName(r.Model) != name
	})
	if len(records) > 0 {
		return ofRecords(filepath.Join(o.runs, records[0].Model), records)
	}
	folder := filepath.Join(o.runs, name)
	if _, err := os.Stat(filepath.Join(folder, results.File)); err == nil && filepath.IsLocal(name) {
		return ofFolder(folder)
	}
	return side{}, misuse("%s: no file, no folder of a run that is done, and no model that is done in %s", name, o.runs)
}

// ofFile reads a file of features or of queries, whichever its first line says it is.
func (o sideOptions) ofFile(ctx context.Context, file string) (s side, err error) {
	features, err := isFeatures(file)
	if err != nil {
		return side{}, err
	}
	digest, err := regular.SHA256(file)
	if err != nil {
		return side{}, err
	}
	if !features {
		queries, err := results.ReadQueries(file)
		return side{what: file + ", queries", runs: []results.Queries{queries}, digest: digest}, err
	}
	var queries results.Queries
	s.digest = digest
	queries, s.gallery, err = bench.JudgeFeatures(ctx, file, o.protocol, machine.Threads(o.threads))
	s.what, s.runs = file+", features, "+o.protocol.String(), []results.Queries{queries}
	return s, err
}

func isFeatures(file string) (bool, error) {
	f, err := regular.Open(file)
	if err != nil {
		return false, err
	}
	defer f.Close()
	start := make([]byte, len(market1501.FeatureColumns))
	n, err := io.ReadFull(bufio.NewReader(f), start)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return false, err
	}
	return string(start[:n]) == market1501.FeatureColumns, nil
}

func ofFolder(dir string) (side, error) {
	record, err := results.ReadWithQueries(dir)
	if err != nil {
		return side{}, err
	}
	if record.State != results.StateDone {
		return side{}, fmt.Errorf("%s holds no run that is done: it has failed", dir)
	}
	return ofRecords(dir, []results.Record{record})
}

// ofRecords takes the seeds of one model.
func ofRecords(dir string, records []results.Record) (side, error) {
	s := side{records: records}
	var seeds, weights []string
	for _, r := range records {
		if r.Queries == nil {
			why := r.NoQueries
			if why == "" {
				why = fmt.Sprintf("seed %d was evaluated before that was recorded; "+
					"reidbench eval %s --weights FILE --data DIR --queries FILE writes it", r.Seed, r.Model)
			}
			return side{}, fmt.Errorf("%s doesn't tell what its queries have found: %s", dir, why)
		}
		s.runs, seeds = append(s.runs, r.Queries), append(seeds, fmt.Sprint(r.Seed))
		weights = append(weights, r.Weights)
	}
	if !slices.Contains(weights, "") {
		s.digest = strings.Join(weights, " ")
	}
	label := "seed "
	if len(seeds) > 1 {
		label = "mean of seeds "
	}
	s.what = fmt.Sprintf("%s (%s), %s recipe, %s%s", records[0].Model, dir, records[0].Recipe.Name, label,
		strings.Join(seeds, ", "))
	return s, nil
}

// is reports whether both sides are made of the same.
func (s side) is(other side) bool { return s.digest != "" && s.digest == other.digest }

// unlike says what the two sides were judged by that is not the same, beside the queries themselves.
func (s side) unlike(other side) error {
	for i := range s.records {
		for j := range other.records {
			if err := s.records[i].JudgedUnlike(&other.records[j]); err != nil {
				return err
			}
		}
	}
	if s.gallery == nil || other.gallery == nil {
		return nil
	}
	known := make(map[results.Image]bool)
	for _, image := range results.BelowShared(s.gallery) {
		known[image] = true
	}
	missing := slices.IndexFunc(results.BelowShared(other.gallery),
		func(image results.Image) bool { return !known[image] })
	switch {
	case missing >= 0:
		return fmt.Errorf("their galleries differ: only the second has %s", other.gallery[missing].File)
	case len(s.gallery) != len(other.gallery):
		return fmt.Errorf("their galleries differ: %d and %d images", len(s.gallery), len(other.gallery))
	}
	return nil
}
