package results

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/reidbench/reidbench/results/atomicfile"
	"github.com/reidbench/reidbench/results/regular"
)

// DomainFormat names the layout of a Domain; one of another format is refused.
const DomainFormat = "reidbench-domain/1"

// Domain is what a model's weights have come to on a dataset, most often another one than they were trained on. It is
// kept in the folder of the run whose weights they are, in a file of its own for each dataset and protocol: whoever
// evaluates needs to know of no other evaluation, and the figure goes wherever the run's folder goes.
type Domain struct {
	Format   string         `json:"format"`
	Model    string         `json:"model"`
	Weights  string         `json:"weights_sha256"`
	Dataset  Dataset        `json:"dataset"`
	Protocol map[string]any `json:"protocol,omitempty"` // as in a recipe's "evaluation"; absent: as published
	Metrics  Metrics        `json:"metrics"`
	Queries  int            `json:"queries"` // that were averaged
	Skipped  int            `json:"skipped"` // without a match in the gallery
	Images   *Images        `json:"images,omitempty"`

	// Failed is why there are no figures; such a Domain is not kept.
	Failed string `json:"-"`
}

// NewProtocol takes the values of a protocol from any struct or map that encodes as a JSON object.
func NewProtocol(values any) (map[string]any, error) {
	r, err := NewRecipe("protocol", values)
	return r.Values, err
}

// domainPattern is what files of Domains are called.
const domainPattern = "domain-*.json"

// file is the name of d's file: of the dataset, and of all that a figure on its images depends on beside the weights.
func (d Domain) file() string {
	of := []string{d.Dataset.Fingerprint, d.Dataset.Layout, inline(without(d.Protocol))}
	sum := sha256.Sum256([]byte(strings.Join(of, "\n")))
	return fmt.Sprintf("domain-%.12s-%s.json", d.Dataset.Fingerprint, hex.EncodeToString(sum[:4]))
}

// WriteDomain keeps d in the folder of a run, whole or not at all. It fills in the format, and says whether anything
// had to be written.
func WriteDomain(dir string, d Domain) (file string, written bool, err error) {
	d.Format = DomainFormat
	file = filepath.Join(dir, d.file())
	if err := d.validate(); err != nil {
		return file, false, fmt.Errorf("write %s: %w", file, err)
	}
	var content bytes.Buffer
	encoder := json.NewEncoder(&content)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(d); err != nil {
		return file, false, fmt.Errorf("write %s: %w", file, err)
	}
	if before, err := regular.ReadFile(file); err == nil && bytes.Equal(before, content.Bytes()) {
		return file, false, nil
	}
	return file, true, atomicfile.Write(file, func(w io.Writer) error {
		_, err := w.Write(content.Bytes())
		return err
	})
}

// ReadDomains returns what is kept in the folder of a run beside its record. Files that can't be read, and those of
// other weights than the record's, are errors that name them.
func ReadDomains(dir string, r Record) (domains []Domain, odd []error) {
	files, err := fs.Glob(os.DirFS(dir), domainPattern)
	if err != nil {
		return nil, []error{err}
	}
	for _, name := range files {
		file := filepath.Join(dir, name)
		d, err := readDomain(file)
		switch {
		case err != nil:
			odd = append(odd, fmt.Errorf("read %s: %w", file, err))
		case d.Model != r.Model || d.Weights != r.Weights:
			odd = append(odd, fmt.Errorf("%s is of other weights than the run's: evaluate these anew", file))
		default:
			domains = append(domains, d)
		}
	}
	return domains, odd
}

func readDomain(file string) (Domain, error) {
	f, err := regular.Open(file)
	if err != nil {
		return Domain{}, err
	}
	defer f.Close()
	return parseDomain(f)
}

// parseDomain reads one Domain, as parseRecord a record.
func parseDomain(r io.Reader) (d Domain, err error) {
	limited := &io.LimitedReader{R: r, N: maxRecordBytes}
	if err := decodeStrictly(limited, &d); err != nil {
		if limited.N == 0 {
			err = fmt.Errorf("larger than %d bytes", maxRecordBytes)
		}
		return Domain{}, err
	}
	return d, d.validate()
}

func (d Domain) validate() error {
	switch {
	case d.Format != DomainFormat:
		return fmt.Errorf("format is %q, want %q", d.Format, DomainFormat)
	case d.Model == "" || d.Weights == "" || d.Dataset.Fingerprint == "":
		return errors.New("without model, weights or dataset")
	case d.Queries < 1 || d.Skipped < 0 || max(d.Queries, d.Skipped) > maxCount:
		return fmt.Errorf("%d queries, %d skipped", d.Queries, d.Skipped)
	}
	if d.Images != nil {
		if err := d.Images.validate(); err != nil {
			return err
		}
	}
	return d.Metrics.validate()
}

// Own is what the run has come to on its own dataset, nil where that is not known.
func (r *Record) Own() *Domain {
	if r.State != StateDone || r.Final == nil {
		return nil
	}
	protocol, _ := r.Recipe.Values["evaluation"].(map[string]any)
	return &Domain{
		Format: DomainFormat, Model: r.Model, Weights: r.Weights, Dataset: r.Dataset, Protocol: protocol,
		Metrics: *r.Final, Images: r.Images,
	}
}

// Same reports whether both are of the same images by the same protocol.
func (d Domain) Same(other Domain) bool { return d.file() == other.file() }

// without is a protocol without some of its values; nil: as published.
func without(protocol map[string]any, keys ...string) map[string]any {
	rest := maps.Clone(protocol)
	for _, key := range keys {
		delete(rest, key)
	}
	if len(rest) == 0 {
		return nil
	}
	return rest
}
