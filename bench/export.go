package bench

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/reidbench/reidbench/bench/onnx"
	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/models"
)

// ExportConfig says what to write as an ONNX model.
type ExportConfig struct {
	Model         models.Model
	Weights       string // a file of weights: safetensors or PyTorch's .pth
	Source        WeightsSource
	Normalise     bool   // the model takes bytes and normalises them
	KeepBatchNorm bool   // batch norms are not folded into the weights before them
	Version       string // of this program
	Progress      progress.Reporter
}

// Exported is what was written.
type Exported struct {
	Model         string         `json:"model"`
	Weights       string         `json:"weights"`
	Files         []string       `json:"files"` // more than one beyond 2 GiB: they belong together
	Bytes         int64          `json:"bytes"` // of all files
	Opset         int            `json:"opset"`
	Operations    int            `json:"operations"`
	Input         ExportedTensor `json:"input"`
	Output        ExportedTensor `json:"output"`
	Preprocessing string         `json:"preprocessing"` // what is left to the caller
}

// ExportedTensor is what goes into a model, or comes out.
type ExportedTensor struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Shape []any  `json:"shape"` // numbers, and "batch"
}

// Export writes a network with the weights of a file as an ONNX model to path. What comes out of it is what
// [Evaluate] calls features; the last linear layer is left out.
func Export(c ExportConfig, path string) (Exported, error) {
	if c.Progress == nil {
		c.Progress = progress.Silent{}
	}
	if same, err := sameFile(path, c.Weights); err != nil || same {
		if same {
			err = fmt.Errorf("%s is the file of weights itself", path)
		}
		return Exported{}, err
	}
	network, err := c.Source.network(c.Model, c.Weights, 0, c.Progress)
	if err != nil {
		return Exported{}, err
	}
	model, err := onnx.New(network.graph, network.weights, onnx.Options{
		Images:    onnx.Images{Mean: network.view.Mean, Std: network.view.Std, Turned: network.view.Turned},
		Normalise: c.Normalise, KeepBatchNorm: c.KeepBatchNorm,
		Producer: onnx.Producer{Name: "reidbench", Version: c.Version},
		Metadata: []onnx.Entry{
			{Key: "model", Value: c.Model.Name},
			{Key: "weights", Value: filepath.Base(c.Weights)},
			{Key: "reidbench_version", Value: c.Version},
		},
	})
	if err != nil {
		return Exported{}, err
	}
	files, err := model.WriteFile(path)
	if err != nil {
		return Exported{}, err
	}
	e := Exported{
		Model: c.Model.Name, Weights: filepath.Base(c.Weights), Files: files,
		Opset: onnx.Opset, Operations: model.Operations(),
		Input: exportedTensor(model.Input), Output: exportedTensor(model.Output), Preprocessing: model.Input.Doc,
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return Exported{}, err
		}
		e.Bytes += info.Size()
	}
	return e, nil
}

func exportedTensor(v onnx.Value) ExportedTensor {
	t := ExportedTensor{Name: v.Name, Type: v.Type.String()}
	for _, d := range v.Dims {
		if d == onnx.Batch {
			t.Shape = append(t.Shape, "batch")
		} else {
			t.Shape = append(t.Shape, d)
		}
	}
	return t
}

// sameFile reports whether both paths lead to one file. What is not there is none.
func sameFile(a, b string) (bool, error) {
	var infos [2]os.FileInfo
	for i, path := range []string{a, b} {
		info, err := os.Stat(path)
		if os.IsNotExist(err) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		infos[i] = info
	}
	return os.SameFile(infos[0], infos[1]), nil
}
