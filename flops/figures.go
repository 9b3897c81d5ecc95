package flops

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results/regular"
)

// IdentityCount is the number of training identities of Market-1501, with which figures
// that include the classifier are stated.
const IdentityCount = 751

// Figures are a model's totals as the regression check keeps them.
type Figures struct {
	Params               int64 `json:"params"`
	ParamsWithClassifier int64 `json:"params_with_751_classifier"`
	ConvMACs             int64 `json:"macs_conv"`
	LinearMACs           int64 `json:"macs_linear"`
	MatMulMACs           int64 `json:"macs_matmul"`
	PaperParams          int64 `json:"paper_params"`
	PaperMACs            int64 `json:"paper_macs"`
}

// Measure counts a model with a classifier for the identities of Market-1501.
func Measure(m models.Model) (Figures, error) {
	g, err := m.Graph(IdentityCount)
	if err != nil {
		return Figures{}, err
	}
	r, err := Count(g)
	if err != nil {
		return Figures{}, err
	}
	return Figures{
		Params:               r.Total.Params,
		ParamsWithClassifier: r.Total.Params + r.Classifier.Params,
		ConvMACs:             r.Total.ConvMACs,
		LinearMACs:           r.Total.LinearMACs,
		MatMulMACs:           r.Total.MatMulMACs,
		PaperParams:          r.Total.PaperParams,
		PaperMACs:            r.Total.PaperMACs,
	}, nil
}

//go:embed figures.json
var committed []byte

func parse(data []byte) (map[string]Figures, error) {
	figures := map[string]Figures{}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&figures); err != nil {
		return nil, fmt.Errorf("reading the committed figures: %w", err)
	}
	return figures, nil
}

// Check recounts the models and compares them with the committed figures. It returns a
// go-cmp diff (− committed, + recounted), which is empty if nothing has drifted; a model that
// was never committed and a committed one that is not among the models are drift as well.
func Check(list []models.Model) (diff string, err error) { return check(committed, list) }

// CheckFile is Check against the figures in a file.
func CheckFile(path string, list []models.Model) (diff string, err error) {
	data, err := regular.ReadFile(path)
	if err != nil {
		return "", err
	}
	if diff, err = check(data, list); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return diff, nil
}

func check(figures []byte, list []models.Model) (diff string, err error) {
	want, err := parse(figures)
	if err != nil {
		return "", err
	}
	got, err := measureAll(list)
	if err != nil {
		return "", err
	}
	return cmp.Diff(want, got), nil
}

// marshal renders the models' figures as figures.json holds them.
func marshal(list []models.Model) ([]byte, error) {
	figures, err := measureAll(list)
	if err != nil {
		return nil, err
	}
	data, err := json.MarshalIndent(figures, "", "  ")
	return append(data, '\n'), err
}

func measureAll(list []models.Model) (map[string]Figures, error) {
	figures := map[string]Figures{}
	for _, m := range list {
		f, err := Measure(m)
		if err != nil {
			return nil, err
		}
		figures[m.Name] = f
	}
	return figures, nil
}
