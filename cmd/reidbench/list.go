package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/reidbench/reidbench/flops"
	"github.com/reidbench/reidbench/models"
)

// listed is a model as list prints it.
type listed struct {
	Name        string        `json:"name"`
	Variant     string        `json:"variant,omitempty"` // in what the network departs from the published one
	Family      models.Family `json:"family"`
	FeatureDim  int           `json:"feature_dim"`
	Params      int64         `json:"params"`
	MACs        int64         `json:"macs"` // of convolutions and linear layers
	MatMulMACs  int64         `json:"matmul_macs"`
	PaperParams int64         `json:"paper_params"`
	PaperMACs   int64         `json:"paper_macs"`
}

func newListCommand() *cobra.Command {
	var (
		all, json bool
		variant   variantOptions
	)
	command := &cobra.Command{
		Use:   "list",
		Short: "List the models with their cost",
		Long: `List prints the models with their family, the length of their features, parameters
and multiply-adds for one image, without the final classifier. MACs are those of
convolutions and linear layers; products of two activations (attention) stand apart
under Matmul. "paper" counts as the published tables do. What a network does not have, as
a last stride, a flag does not change.`,
		Example: `  reidbench list
  reidbench list --input-size 384x128 --last-stride 1

  # also what is beside the published tables, for a script
  reidbench list --all --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			list := models.Rows()
			if all {
				list = models.All()
			}
			list, err := variant.of(list...)
			if err != nil {
				return err
			}
			var entries []listed
			for _, m := range list {
				entry, err := describe(m)
				if err != nil {
					return err
				}
				entries = append(entries, entry)
			}
			if json {
				return writeJSON(c.OutOrStdout(), entries)
			}
			return printList(c.OutOrStdout(), entries)
		},
	}
	command.Flags().BoolVar(&all, "all", false, "also the models that are no rows of the published tables")
	variant.register(command.Flags(), "")
	command.Flags().BoolVar(&json, "json", false, "write JSON, counts in single units")
	return command
}

func describe(m models.Model) (listed, error) {
	g, err := m.Graph(flops.IdentityCount)
	if err != nil {
		return listed{}, err
	}
	count, err := flops.Count(g)
	if err != nil {
		return listed{}, err
	}
	total := count.Total
	return listed{
		Name: m.Name, Variant: m.Variant().String(), Family: m.Family, FeatureDim: g.Features.Shape.C,
		Params: total.Params, MACs: total.ConvMACs + total.LinearMACs, MatMulMACs: total.MatMulMACs,
		PaperParams: total.PaperParams, PaperMACs: total.PaperMACs,
	}, nil
}

func printList(w io.Writer, entries []listed) error {
	columns := []column{
		{Title: "Model", Left: true}, {Title: "Family", Left: true, Yields: 4}, {Title: "Features", Yields: 3},
		{Title: "Params (M)"}, {Title: "paper", Yields: 1}, {Title: "MACs (G)"}, {Title: "paper", Yields: 1},
		{Title: "Matmul (G)", Yields: 2},
	}
	var rows [][]string
	for _, e := range entries {
		matmul := "–"
		if e.MatMulMACs > 0 {
			matmul = billions(e.MatMulMACs)
		}
		rows = append(rows, []string{
			e.Name, string(e.Family), fmt.Sprint(e.FeatureDim),
			millions(e.Params), millions(e.PaperParams), billions(e.MACs), billions(e.PaperMACs), matmul,
		})
	}
	return writeTable(w, columns, rows, nil)
}
