package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/market1501"
)

// protocolOptions are the flags about how embeddings are made and compared.
type protocolOptions struct {
	metric market1501.Metric
	flip   bool
	rerank bool
	values market1501.Rerank
	ap     string
}

// The values of --ap.
const (
	apHits      = "hits"
	apTrapezoid = "trapezoid"
)

// registerAP is for commands that print mAP.
func (o *protocolOptions) registerAP(command *cobra.Command) {
	command.Flags().StringVar(&o.ap, "ap", apHits,
		"`average` precision: hits, or trapezoid for a second mAP by that rule")
}

func (o *protocolOptions) register(command *cobra.Command) {
	o.registerMetric(command)
	command.Flags().BoolVar(&o.flip, "flip", false, "take the mean of the embeddings of an image and its mirror image")
	o.registerRerank(command)
}

// registerComparison leaves out how embeddings are made.
func (o *protocolOptions) registerComparison(command *cobra.Command) {
	o.registerMetric(command)
	o.registerRerank(command)
}

func (o *protocolOptions) registerMetric(command *cobra.Command) {
	command.Flags().TextVar(&o.metric, "metric",
		market1501.Euclidean, "`name` of the distance between embeddings: euclidean or cosine")
}

func (o *protocolOptions) registerRerank(command *cobra.Command) {
	flags := command.Flags()
	published := market1501.PublishedRerank()
	flags.BoolVar(&o.rerank, "rerank", false, "judge a second time after k-reciprocal re-ranking")
	flags.IntVar(&o.values.K1, "rerank-k1", published.K1, "neighbours among which reciprocal ones are sought")
	flags.IntVar(&o.values.K2, "rerank-k2", published.K2, "neighbours whose codes are averaged")
	flags.Float64Var(&o.values.Lambda, "rerank-lambda",
		published.Lambda, "weight of the original distance, from 0 to 1")
}

// protocol resolves the flags. given reports whether a flag is on the command line.
func (o *protocolOptions) protocol(given func(flag string) bool) (recipe.Protocol, error) {
	p := recipe.Protocol{Metric: o.metric, Flip: o.flip, Trapezoid: o.ap == apTrapezoid}
	if !slices.Contains([]string{"", apHits, apTrapezoid}, o.ap) {
		return p, misuse("--ap %s: it is %s or %s", o.ap, apHits, apTrapezoid)
	}
	if !o.rerank {
		for _, flag := range []string{"rerank-k1", "rerank-k2", "rerank-lambda"} {
			if given(flag) {
				return p, misuse("--%s says nothing without --rerank", flag)
			}
		}
		return p, nil
	}
	p.Rerank = o.values
	if p.Rerank == (market1501.Rerank{}) {
		return p, misuse("--rerank with 0 for all its values")
	}
	if err := p.Rerank.Validate(); err != nil {
		return p, misuse("%w", err)
	}
	return p, nil
}
