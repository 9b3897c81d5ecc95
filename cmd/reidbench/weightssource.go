package main

import "github.com/reidbench/reidbench/bench"

// weightsSource is the flag that says whose a file of weights is.
type weightsSource bench.WeightsSource

const weightsSourceFlag = "weights-source"

// sourceUsage is its line of help.
const sourceUsage = "`whose` weights they are, where a note asks for it: timm, torchreid, …; timm,imagenet"

func (s *weightsSource) Set(text string) error {
	parsed, err := bench.ParseWeightsSource(text)
	*s = weightsSource(parsed)
	return err
}

func (s *weightsSource) String() string { return bench.WeightsSource(*s).String() }

// Type is what cobra calls the value.
func (s *weightsSource) Type() string { return "source" }
