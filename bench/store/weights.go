package store

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/bench/weights"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results/atomicfile"
	"github.com/reidbench/reidbench/results/regular"
)

// WeightsFile holds a finished job's parameters and running statistics under their
// published names, as safetensors.
const WeightsFile = "weights.safetensors"

// digestSuffix is the ending of the file beside each file of tensors that has its digest, in sha256sum's format.
const digestSuffix = ".sha256"

// ErrDamaged is wrapped by the error about a file of tensors that is not what was written: its
// digest is another one or missing, or its content makes no sense.
var ErrDamaged = errors.New("the file is damaged")

// SaveWeights writes the weights that a job has come to, with their digest.
func (f Folder) SaveWeights(id Identity, w *train.Weights) error {
	metadata := map[string]string{
		"model": id.Model, "recipe": id.Recipe.Name, "dataset": id.Dataset, "format": "pt",
	}
	if stride := id.Recipe.LastStride; stride != 0 {
		metadata[lastStride] = strconv.Itoa(stride)
	}
	if size := id.Recipe.InputSize; size != (models.ImageSize{}) {
		metadata[inputSize] = size.String()
	}
	return writeTensors(f.path(WeightsFile), networkTensors(w), metadata)
}

// Keys of metadata that say of a network what its tensors don't.
const (
	lastStride = "last_stride"
	inputSize  = "input_size"
)

// Variant is that of the network whose weights a file holds, as far as its metadata tells.
func Variant(metadata map[string]string) models.Variant {
	var v models.Variant
	v.LastStride, _ = strconv.Atoi(metadata[lastStride])
	if v.Input.UnmarshalText([]byte(metadata[inputSize])) != nil {
		v.Input = models.ImageSize{}
	}
	return v
}

// TrainedAs is the model whose weights a file holds, by its metadata, if [Folder.SaveWeights] wrote it.
func TrainedAs(metadata map[string]string) (model string, ok bool) {
	for _, key := range []string{"model", "recipe", "dataset"} {
		if metadata[key] == "" {
			return "", false
		}
	}
	return metadata["model"], true
}

// LoadWeights sets every parameter and running statistic to what a job that is done has come to.
func (f Folder) LoadWeights(w *train.Weights) error {
	path := f.path(WeightsFile)
	if err := checkDigest(path); err != nil {
		return err
	}
	archive, err := weights.Open(path)
	if err != nil {
		return err
	}
	defer archive.Close()
	if err := restoreNetwork(w, archive); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// restoreNetwork sets every parameter and running statistic.
func restoreNetwork(w *train.Weights, archive *weights.Archive) error {
	for _, name := range w.Names() {
		values, err := archive.Float32(name)
		if err != nil {
			return err
		}
		if err := w.Set(name, values); err != nil {
			return err
		}
	}
	return nil
}

// writeTensors writes a safetensors file and its digest. The digest takes its place first: a file
// that is there has a digest to be held against.
func writeTensors(path string, tensors []weights.Tensor, metadata map[string]string) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		digest := sha256.New()
		if err := weights.WriteSafetensors(io.MultiWriter(w, digest), tensors, metadata); err != nil {
			return err
		}
		return atomicfile.Write(path+digestSuffix, func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "%x  %s\n", digest.Sum(nil), filepath.Base(path))
			return err
		})
	})
}

// networkTensors are a network's parameters and running statistics.
func networkTensors(w *train.Weights) []weights.Tensor {
	var tensors []weights.Tensor
	for _, name := range w.Names() {
		tensors = append(tensors, weights.Tensor{
			Name: name, Shape: w.Shape(name), Fetch: func() []float32 { return w.Get(name) },
		})
	}
	return tensors
}

// WeightsDigest is the SHA-256, in hex, that the weights of a job that is done ought to have.
func (f Folder) WeightsDigest() (string, error) { return recordedDigest(f.path(WeightsFile)) }

// recordedDigest is what the file beside a file of tensors says.
func recordedDigest(path string) (string, error) {
	line, err := regular.ReadFile(path + digestSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s: %w: there is no %s beside it", path, ErrDamaged, filepath.Base(path)+digestSuffix)
	}
	digest, _, _ := strings.Cut(string(line), " ")
	return digest, err
}

// checkDigest holds a file against the digest beside it.
func checkDigest(path string) error {
	want, err := recordedDigest(path)
	if err != nil {
		return err
	}
	got, err := regular.SHA256(path)
	if err == nil && got != want {
		err = fmt.Errorf("%s: %w: its SHA-256 is %s, not %s", path, ErrDamaged, got, want)
	}
	return err
}
