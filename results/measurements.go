package results

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/reidbench/reidbench/results/atomicfile"
	"github.com/reidbench/reidbench/results/regular"
)

// MeasurementsFormat names the layout of a file of measurements; one of another format is refused.
const MeasurementsFormat = "reidbench-measurements/1"

// Measurements is what using models costs on one machine.
type Measurements struct {
	Format  string     `json:"format"`
	Version string     `json:"version,omitempty"` // of the program that measured
	Machine Machine    `json:"machine"`
	Models  []Measured `json:"models"`
}

// Measured is one model's figures.
type Measured struct {
	Model     string    `json:"model"`
	Row       string    `json:"row,omitempty"`     // of the published tables, as printed there; empty beside them
	Variant   string    `json:"variant,omitempty"` // in what the network departs from the published one
	Inference Inference `json:"inference"`
}

// DescribeDisturbed names those whose figures other work has made worse; "": there are none.
func DescribeDisturbed(all []Measured) string {
	var disturbed []string
	for _, of := range all {
		if taken := of.Inference.WaitedShare.Disturbed(); taken != "" {
			disturbed = append(disturbed, fmt.Sprintf("%s (%s)", of.Model, taken))
		}
	}
	if len(disturbed) == 0 {
		return ""
	}
	return "made worse by other work, for which threads waited: " + strings.Join(disturbed, ", ")
}

// WriteMeasurements stores measurements in a file, whole or not at all. It fills in the format.
func WriteMeasurements(path string, m Measurements) error {
	m.Format = MeasurementsFormat
	return atomicfile.Write(path, func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(m)
	})
}

// ReadMeasurements returns what [WriteMeasurements] has stored.
func ReadMeasurements(path string) (Measurements, error) {
	f, err := regular.Open(path)
	if err != nil {
		return Measurements{}, err
	}
	defer f.Close()
	m, err := parseMeasurements(f)
	if err != nil {
		return Measurements{}, fmt.Errorf("read %s: %w", path, err)
	}
	return m, nil
}

// parseMeasurements refuses figures that nobody can have measured, a model that is there twice, unknown fields,
// trailing data and more than 1 MiB.
func parseMeasurements(r io.Reader) (Measurements, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxRecordBytes+1))
	if err != nil {
		return Measurements{}, err
	}
	if len(data) > maxRecordBytes {
		return Measurements{}, fmt.Errorf("measurements are larger than %d bytes", maxRecordBytes)
	}
	var m Measurements
	if err := decodeStrictly(bytes.NewReader(data), &m); err != nil {
		if strings.Contains(err.Error(), "unknown field") { // encoding/json has no other name for it
			err = fmt.Errorf("%w; measure --out writes such files, as may a newer version", err)
		}
		return Measurements{}, err
	}
	return m, m.validate()
}

func (m Measurements) validate() error {
	if m.Format != MeasurementsFormat {
		return fmt.Errorf("format is %q, want %q", m.Format, MeasurementsFormat)
	}
	if len(m.Models) == 0 {
		return errors.New("nothing was measured")
	}
	seen := map[string]bool{}
	for _, of := range m.Models {
		if of.Model == "" {
			return errors.New("no model name")
		}
		if seen[of.Model] {
			return fmt.Errorf("%s is there twice", of.Model)
		}
		seen[of.Model] = true
		if of.Variant != "" {
			return fmt.Errorf("%s was measured with %s; only figures of the published networks belong beside theirs",
				of.Model, of.Variant)
		}
		if err := of.Inference.validate(); err != nil {
			return fmt.Errorf("%s: %w", of.Model, err)
		}
	}
	return nil
}

// Measure puts measurements into the report, in place of those of its runs.
func (r *Report) Measure(m Measurements) {
	r.measuredOn = m.Machine.String()
	for l := range r.lines {
		for i, of := range m.Models {
			if of.Row != "" && of.Row == l.rowName() || l.Published == nil && of.Model == l.Model {
				l.Measured = &m.Models[i].Inference
			}
		}
	}
	r.describeInference()
}
