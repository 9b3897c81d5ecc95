package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/reidbench/reidbench/bench"
	"github.com/reidbench/reidbench/plots"
	"github.com/reidbench/reidbench/results/atomicfile"
)

// rocOptions are the flags about pairs of images.
type rocOptions struct {
	on    bool
	rates []float64
	plot  string
}

func (o *rocOptions) register(command *cobra.Command) {
	flags := command.Flags()
	flags.BoolVar(&o.on, "roc", false, "judge pairs of images by thresholds on their distance, too")
	flags.Float64SliceVar(&o.rates, "fpr", nil,
		"`rates` of false acceptance that get thresholds; none: 0.0001,0.001,0.01,0.1")
	flags.StringVar(&o.plot, "roc-plot", "", "`file` for a drawing of it, .png or .svg")
}

// wanted are the rates that get thresholds.
func (o *rocOptions) wanted() []float64 {
	if len(o.rates) == 0 {
		return []float64{1e-4, 1e-3, 1e-2, 1e-1}
	}
	return o.rates
}

// asked reports whether pairs are judged at all.
func (o *rocOptions) asked() bool { return o.on || o.plot != "" }

// format is the drawing's, by the end of its file's name.
func (o *rocOptions) format() string {
	return strings.TrimPrefix(strings.ToLower(filepath.Ext(o.plot)), ".")
}

// check refuses what cannot be done, before anything is.
func (o *rocOptions) check(given func(flag string) bool) error {
	if given("fpr") && !o.asked() {
		return misuse("--fpr says nothing without --roc")
	}
	for _, rate := range o.rates {
		if !(rate > 0 && rate <= 1) {
			return misuse("--fpr %v: a rate is above 0 and at most 1", rate)
		}
	}
	if format := o.format(); o.plot != "" && format != "png" && format != "svg" {
		return misuse("--roc-plot %s: the file's name has to end in .png or .svg", o.plot)
	}
	return nil
}

// draw draws the curve if there is to be a drawing.
func (o *rocOptions) draw(e bench.Evaluation) error {
	if o.plot == "" {
		return nil
	}
	var curve []plots.ROCPoint
	for _, p := range e.Verification.Curve {
		curve = append(curve, plots.ROCPoint{FPR: p.FPR, TPR: p.TPR})
	}
	title := e.Model + " on " + e.Dataset.Name
	if e.Foreign != nil {
		title = filepath.Base(e.Foreign.Query)
	}
	return atomicfile.Write(o.plot, func(w io.Writer) error { return plots.WriteROC(w, o.format(), title, curve) })
}

func printVerification(w io.Writer, v bench.Verification) error {
	fmt.Fprintf(w, "\nOf pairs: %s of one person, %s of two; equal error rate %.2f %% at the distance %.4f\n\n",
		grouped(v.Genuine), grouped(v.Impostor), 100*v.EqualRate, v.EqualAt)
	var rows [][]string
	for _, p := range v.Points {
		distance := "none"
		if p.Distance != nil {
			distance = strconv.FormatFloat(*p.Distance, 'f', 4, 64)
		}
		rate := strconv.FormatFloat(100*p.FPR, 'g', 6, 64)
		rows = append(rows, []string{rate, fmt.Sprintf("%.2f", 100*p.TPR), distance})
	}
	return writeTable(w, []column{{Title: "FPR %"}, {Title: "TPR %"}, {Title: "Distance up to"}}, rows, nil)
}
