package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/reidbench/reidbench/bench/weights"
	"github.com/reidbench/reidbench/results/atomicfile"
	"github.com/reidbench/reidbench/results/grammar"
	"github.com/reidbench/reidbench/results/visible"
)

func newWeightsCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "weights",
		Short: "Find and fetch public weights, look into files of weights, convert and export them",
	}
	command.AddCommand(newWeightsSourcesCommand(), newWeightsFetchCommand(), newWeightsInspectCommand(),
		newWeightsConvertCommand(), newWeightsExportCommand())
	return command
}

func newWeightsInspectCommand() *cobra.Command {
	var json bool
	command := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Print the tensors of a file with shape and type",
		Long: `Inspect lists the tensors of a safetensors file or of PyTorch's .pth, and what else
the file tells. Nothing in the file is run: of what Python would call or make beside the
tensors, the names are shown. A training script's checkpoint has names of numpy or
argparse there; a name like posix.system means that the file is meant to do harm.`,
		Example: `  reidbench weights inspect runs/osnet/weights.safetensors
  reidbench weights inspect resnet50.pth --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			archive, err := weights.Open(args[0])
			if err != nil {
				return err
			}
			defer archive.Close()
			if json {
				return writeArchiveJSON(c.OutOrStdout(), archive)
			}
			return printArchive(c.OutOrStdout(), archive)
		},
	}
	command.Flags().BoolVar(&json, "json", false, "write JSON")
	return command
}

func printArchive(w io.Writer, a *weights.Archive) error {
	tensors := a.Tensors()
	elements := int64(0)
	var rows [][]string
	for _, t := range tensors {
		n := int64(1)
		shape := make([]string, len(t.Shape))
		for i, d := range t.Shape {
			n *= int64(d)
			shape[i] = fmt.Sprint(d)
		}
		elements += n
		rows = append(rows, []string{t.Name, "[" + strings.Join(shape, ", ") + "]", grouped(n), t.DType})
	}
	fmt.Fprintf(w, "%s: %s, %s, %s elements\n", visible.Line(a.Path()), a.Format(),
		grammar.Count(len(tensors), "tensor", "tensors"),
		grouped(elements))
	if a.Wrapper() != "" {
		fmt.Fprintf(w, "under the key %q\n", a.Wrapper())
	}
	if skipped := a.Skipped(); len(skipped) > 0 {
		fmt.Fprintf(w, "passed over: %s\n", visible.Line(strings.Join(skipped, ", ")))
	}
	metadata := a.Metadata()
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		fmt.Fprintf(w, "%s: %s\n", visible.Line(key), visible.Line(metadata[key]))
	}
	fmt.Fprintln(w)
	columns := []column{
		{Title: "Tensor", Left: true}, {Title: "Shape", Left: true}, {Title: "Elements", Yields: 1},
		{Title: "Type", Left: true, Yields: 2},
	}
	return writeTable(w, columns, rows, nil)
}

func writeArchiveJSON(w io.Writer, a *weights.Archive) error {
	type tensor struct {
		Name  string `json:"name"`
		DType string `json:"dtype"`
		Shape []int  `json:"shape"`
	}
	document := struct {
		Format   string            `json:"format"`
		Wrapper  string            `json:"wrapper,omitempty"`
		Skipped  []string          `json:"passed_over,omitempty"`
		Metadata map[string]string `json:"metadata,omitempty"`
		Tensors  []tensor          `json:"tensors"`
	}{Format: a.Format(), Wrapper: a.Wrapper(), Skipped: a.Skipped(), Metadata: a.Metadata(), Tensors: []tensor{}}
	for _, t := range a.Tensors() {
		document.Tensors = append(document.Tensors, tensor{t.Name, t.DType, append([]int{}, t.Shape...)})
	}
	return writeJSON(w, document)
}

func newWeightsConvertCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "convert IN OUT",
		Short: "Write a file of weights as safetensors",
		Long: `Convert reads safetensors or PyTorch's .pth and writes safetensors: the same tensors
under the same names, with the same types. OUT appears whole or not at all.`,
		Example: `  reidbench weights convert resnet50.pth resnet50.safetensors`,
		Args:    cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			archive, err := weights.Open(args[0])
			if err != nil {
				return err
			}
			defer archive.Close()
			if err := atomicfile.Write(args[1], archive.WriteSafetensors); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "wrote %s to %s\n",
				grammar.Count(len(archive.Tensors()), "tensor", "tensors"), visible.Line(args[1]))
			return nil
		},
	}
}
