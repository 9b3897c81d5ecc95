package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/reidbench/reidbench/bench"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/results"
	"github.com/reidbench/reidbench/results/grammar"
)

// refereeOptions are the flags about features that another program has made.
type refereeOptions struct {
	on    bool
	names []string
}

func (o *refereeOptions) register(command *cobra.Command) {
	flags := command.Flags()
	flags.BoolVar(&o.on, "from-features", false, "judge files of features, QUERY and GALLERY in place of MODEL")
	flags.StringSliceVar(&o.names, "names", nil, "`files` that say who is on the features' images")
}

// arguments are the files of features, or the model.
func (o *refereeOptions) arguments(c *cobra.Command, args []string) error {
	if o.on {
		return cobra.RangeArgs(1, 2)(c, args)
	}
	return cobra.MinimumNArgs(1)(c, args)
}

// withoutFeatures are the flags that say nothing about features, needed those that say nothing without weights.
var (
	withoutFeatures = []string{"weights", weightsSourceFlag, "data", "flip", "batch"}
	needed          = []string{"weights", "data"}
)

// check refuses flags that don't go together.
func (o *refereeOptions) check(c *cobra.Command, args []string) error {
	given := c.Flags().Changed
	if !o.on {
		if given("names") {
			return misuse("--names says nothing without --from-features")
		}
		var missing []string
		for _, flag := range needed {
			if !given(flag) {
				missing = append(missing, fmt.Sprintf("%q", flag))
			}
		}
		if len(missing) > 0 {
			return misuse("required flag(s) %s not set", strings.Join(missing, ", "))
		}
		return nil
	}
	for _, flag := range withoutFeatures {
		if given(flag) {
			return misuse("--%s says nothing about features, which --from-features judges", flag)
		}
	}
	switch {
	case len(args) == 1 && len(o.names) > 0:
		return misuse("--names is for two files, of queries and of the gallery: a file with both has its names in it")
	case len(o.names) > 2:
		return misuse("--names has %d files: it is one, or two, of queries and of the gallery", len(o.names))
	}
	return nil
}

// judge judges the files of the command line.
func (o *refereeOptions) judge(ctx context.Context, args []string, c bench.EvaluateConfig) (bench.Evaluation, error) {
	from := market1501.ForeignFeatures{Query: args[0], Names: o.names, Layout: c.Layout}
	if len(args) == 2 {
		from.Gallery = args[1]
	}
	e, err := bench.Referee(ctx, from, c)
	if errors.Is(err, market1501.ErrUnnamed) {
		err = misuse("%w: --names says it", err)
	}
	return e, err
}

// foreignFacts say what was judged.
func foreignFacts(f bench.ForeignFiles) []results.Fact {
	files, names := f.Query, f.Query
	if f.Gallery != "" {
		files += ", " + f.Gallery
		names = "of their own"
	}
	if len(f.Names) > 0 {
		names = strings.Join(f.Names, ", ")
	}
	if f.Layout != "" {
		names += ", layout " + f.Layout
	}
	return []results.Fact{
		{Label: "Features", Text: fmt.Sprintf("%s: %s of %s and %s", files,
			grammar.Count(f.Values, "value", "values"), grammar.Count(f.Queries, "query", "queries"),
			grammar.Count(f.Images, "gallery image", "gallery images"))},
		{Label: "Names", Text: names},
	}
}
