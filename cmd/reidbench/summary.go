package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/reidbench/reidbench/bench/machine"
	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/flops"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/models/graph"
)

func newSummaryCommand() *cobra.Command {
	var (
		batch, threads int
		json           bool
		variant        variantOptions
	)
	command := &cobra.Command{
		Use:   "summary MODEL",
		Short: "Print a model's layers with their cost, and the memory of its training",
		Long: `Summary prints the layer table of a model: operation, output [H×W×C] of one image,
parameters and multiply-adds, counted exactly and as the published tables count. A
module that is called again has a number after its name; its parameters count once.
Totals leave out the final classifier, here for the 751 identities of Market-1501.
The memory is what a training step takes, known before the first. The network is the
published one, or with flags as run's recipes have it.`,
		Example: `  reidbench summary osnet
  reidbench summary resnet50 --batch 16 --json

  # as the recipe strong has it
  reidbench summary resnet50 --last-stride 1 --bnneck`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeModels,
		RunE: func(c *cobra.Command, args []string) error {
			m, err := models.Lookup(args[0])
			if err != nil {
				return err
			}
			list, err := variant.of(m)
			if err != nil {
				return err
			}
			s, err := summarize(list[0], batch, machine.Threads(threads))
			if err != nil {
				return err
			}
			if json {
				return writeJSON(c.OutOrStdout(), s.document())
			}
			return s.print(c.OutOrStdout())
		},
	}
	command.Flags().IntVar(&batch, "batch", 64, "images in a training step")
	command.Flags().IntVar(&threads, "threads", 0, "threads of a training step; none: one per CPU")
	variant.register(command.Flags(), "")
	command.Flags().BoolVar(&json, "json", false, "write JSON, counts in single units and memory in bytes")
	return command
}

// layerSummary is what summary tells of a model.
type layerSummary struct {
	model          models.Model
	graph          *graph.Graph
	count          flops.Report
	memory         train.Memory
	batch, threads int
}

func summarize(m models.Model, batch, threads int) (*layerSummary, error) {
	g, err := m.Graph(flops.IdentityCount)
	if err != nil {
		return nil, err
	}
	count, err := flops.Count(g)
	if err != nil {
		return nil, err
	}
	memory, err := train.Plan(g, threads, train.Options{Batch: batch, Stage: train.Everything})
	if err != nil {
		return nil, err
	}
	return &layerSummary{m, g, count, memory, batch, threads}, nil
}

func (s *layerSummary) print(w io.Writer) error {
	title := s.model.Name
	if s.model.Row != "" {
		title += ", published as " + s.model.Row
	}
	fmt.Fprintf(w, "%s: %v image, features of %d values\n\n", title, s.graph.Input.Shape, s.graph.Features.Shape.C)
	columns := []column{
		{Title: "Layer", Left: true}, {Title: "Operation", Left: true, Yields: 1}, {Title: "Output", Yields: 2},
		{Title: "Params"}, {Title: "MACs"}, {Title: "Params (paper)", Yields: 3}, {Title: "MACs (paper)", Yields: 4},
	}
	var rows [][]string
	for _, cost := range s.count.Costs {
		rows = append(rows,
			append([]string{cost.Node.Name, cost.Node.Op.String(), cost.Node.Shape.String()}, cells(cost)...))
	}
	footer := [][]string{
		append([]string{"total", "no classifier", ""}, cells(s.count.Total)...),
		append([]string{"classifier", fmt.Sprintf("%d identities", flops.IdentityCount), ""},
			cells(s.count.Classifier)...),
	}
	if err := writeTable(w, columns, rows, footer); err != nil {
		return err
	}
	if products := s.count.Total.MatMulMACs; products > 0 {
		fmt.Fprintf(w, "\nOf the MACs %s are products of two activations, which the published counting leaves out.\n",
			grouped(products))
	}
	fmt.Fprintf(w, "\nA training step of %d images with %d threads takes %s:\n",
		s.batch, s.threads, machine.Bytes(s.memory.Total()))
	for _, part := range []struct {
		name  string
		bytes int64
	}{
		{"activations and their gradients", s.memory.Activations},
		{"scratch of the kernels", s.memory.Workspace},
		{"images", s.memory.Input},
		{"parameters and statistics", s.memory.Weights},
		{"gradients of the parameters", s.memory.Gradients},
		{"moments of Adam", s.memory.Moments},
	} {
		if _, err := fmt.Fprintf(w, "  %-32s %12s\n", part.name, machine.Bytes(part.bytes)); err != nil {
			return err
		}
	}
	return nil
}

// cells are the four counts of a line; what costs nothing stays empty.
func cells(c flops.Cost) []string {
	counts := []int64{c.Params, c.MACs(), c.PaperParams, c.PaperMACs}
	cells := make([]string, len(counts))
	for i, n := range counts {
		if n != 0 {
			cells[i] = grouped(n)
		}
	}
	return cells
}

// summaryDocument is the summary as JSON.
type summaryDocument struct {
	Model      string          `json:"model"`
	Row        string          `json:"row,omitempty"`
	Input      []int           `json:"input"` // H, W, C
	FeatureDim int             `json:"feature_dim"`
	Layers     []summaryLayer  `json:"layers"`
	Total      summaryCost     `json:"total"` // without the classifier
	Classifier summaryCost     `json:"classifier"`
	Training   summaryTraining `json:"training"`
}

type summaryLayer struct {
	Name   string `json:"name"`
	Op     string `json:"op"`
	Output []int  `json:"output"` // H, W, C
	summaryCost
}

type summaryCost struct {
	Params      int64 `json:"params"`
	MACs        int64 `json:"macs"` // of convolutions and linear layers
	MatMulMACs  int64 `json:"matmul_macs"`
	PaperParams int64 `json:"paper_params"`
	PaperMACs   int64 `json:"paper_macs"`
}

// summaryTraining is the planned memory of a training step in bytes.
type summaryTraining struct {
	Batch       int   `json:"batch"`
	Threads     int   `json:"threads"`
	Total       int64 `json:"total_bytes"`
	Activations int64 `json:"activation_bytes"`
	Workspace   int64 `json:"workspace_bytes"`
	Input       int64 `json:"input_bytes"`
	Weights     int64 `json:"weight_bytes"`
	Gradients   int64 `json:"gradient_bytes"`
	Moments     int64 `json:"moment_bytes"`
}

func (s *layerSummary) document() summaryDocument {
	cost := func(c flops.Cost) summaryCost {
		return summaryCost{c.Params, c.ConvMACs + c.LinearMACs, c.MatMulMACs, c.PaperParams, c.PaperMACs}
	}
	dims := func(s graph.Shape) []int { return []int{s.H, s.W, s.C} }
	m := s.memory
	d := summaryDocument{
		Model: s.model.Name, Row: s.model.Row,
		Input: dims(s.graph.Input.Shape), FeatureDim: s.graph.Features.Shape.C,
		Total: cost(s.count.Total), Classifier: cost(s.count.Classifier),
		Training: summaryTraining{
			s.batch, s.threads, m.Total(), m.Activations, m.Workspace, m.Input, m.Weights, m.Gradients, m.Moments,
		},
	}
	for _, c := range s.count.Costs {
		d.Layers = append(d.Layers, summaryLayer{c.Node.Name, c.Node.Op.String(), dims(c.Node.Shape), cost(c)})
	}
	return d
}
