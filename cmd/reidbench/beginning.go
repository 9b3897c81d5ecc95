package main

import (
	"fmt"
	"io"

	"github.com/reidbench/reidbench/bench"
	"github.com/reidbench/reidbench/bench/recipe"
)

// adviseWeights says of a run by the published recipe that is to begin with random weights that the published figures
// did not, and what to type.
func adviseWeights(config bench.Config, w io.Writer) {
	if config.Recipe.Name != recipe.Paper().Name || len(config.Weights) > 0 {
		return
	}
	fmt.Fprint(w, `The published figures begin with ImageNet's weights, and this run with random ones.
To begin as published:
  reidbench weights fetch all --out pretrained
and add to this command: --weights pretrained

`)
}
