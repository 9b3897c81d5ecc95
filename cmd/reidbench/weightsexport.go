package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/reidbench/reidbench/bench"
	"github.com/reidbench/reidbench/bench/machine"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results"
	"github.com/reidbench/reidbench/results/visible"
)

func newWeightsExportCommand() *cobra.Command {
	var (
		config bench.ExportConfig
		files  bench.WeightsFiles
		out    string
		json   bool
	)
	command := &cobra.Command{
		Use:   "export MODEL --weights FILE --onnx OUT",
		Short: "Write a network with its weights as an ONNX model",
		Long: `Export writes what other programs run: an ONNX model with operators of version 17 that
takes a batch of any size, "images", and gives the features that eval judges by,
"embeddings" [batch, length]. Layers and parameters have the names that weights inspect
shows; the classifier is left out. What an image must be like stands in the metadata.

Without --normalise images are float32 [batch, 3, height, width], normalised by the
caller; with it they are bytes, uint8 [batch, height, width, 3] in the order RGB, as
decoders give them. Resizing is left to the caller in both cases.

Batch norms are folded into the weights before them, as evaluation here has them too;
--keep-batchnorm leaves both as they are in the file. OUT appears whole or not at all;
beyond 2 GiB, the most that the format holds, the weights are in OUT.data beside it.`,
		Example: `  reidbench weights export osnet --weights runs/osnet/weights.safetensors --onnx osnet.onnx

  # bytes go in; what was written, for a script
  reidbench weights export resnet50 --weights resnet50.pth --onnx resnet50.onnx --normalise --json`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeModels,
		RunE: func(c *cobra.Command, args []string) error {
			model, err := models.Lookup(args[0])
			if err != nil {
				return err
			}
			if config.Weights, err = weightsOf(files, model); err != nil {
				return err
			}
			progress, stop := newProgress(c.ErrOrStderr())
			config.Model, config.Version, config.Progress = model, describeBuild().Version, progress
			exported, err := bench.Export(config, out)
			stop()
			if err != nil {
				return err
			}
			if json {
				return writeJSON(c.OutOrStdout(), exported)
			}
			printExported(c.OutOrStdout(), exported)
			return nil
		},
	}
	flags := command.Flags()
	registerWeights(flags, &files, "`file` of weights, safetensors or .pth, or a folder with one for MODEL")
	flags.Var((*weightsSource)(&config.Source), weightsSourceFlag, sourceUsage)
	flags.StringVar(&out, "onnx", "", "`file` to write")
	flags.BoolVar(&config.Normalise, "normalise", false, "the model takes bytes and normalises them")
	flags.BoolVar(&config.KeepBatchNorm, "keep-batchnorm", false, "batch norms stay operations of their own")
	flags.BoolVar(&json, "json", false, "write JSON about what was written")
	_ = command.MarkFlagRequired("weights")
	_ = command.MarkFlagRequired("onnx")
	return command
}

func printExported(w io.Writer, e bench.Exported) {
	tensor := func(t bench.ExportedTensor) string {
		return fmt.Sprintf("%s, %s %s", t.Name, t.Type, strings.ReplaceAll(fmt.Sprint(t.Shape), " ", ", "))
	}
	files, weights := visible.Line(strings.Join(e.Files, " and ")), visible.Line(e.Weights)
	results.WriteFacts(w, []results.Fact{
		{Label: "Wrote", Text: fmt.Sprintf("%s, %s", files, machine.Bytes(e.Bytes))},
		{Label: "Model", Text: fmt.Sprintf("%s, weights %s, %d operations, opset %d", e.Model, weights, e.Operations,
			e.Opset)},
		{Label: "Input", Text: tensor(e.Input)},
		{Label: "Output", Text: tensor(e.Output)},
		{Label: "Images", Text: e.Preprocessing},
	}, terminalWidth(w))
}
