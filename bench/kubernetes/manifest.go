// Package kubernetes writes the jobs of a benchmark as a manifest for Kubernetes. It talks to no
// cluster: kubectl does, with what is printed.
package kubernetes

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/reidbench/reidbench/models"
)

// A Manifest is a benchmark's jobs as two Indexed Jobs of batch/v1: one of the models that learn from
// labels alone, one of the distilled ones, whose pods wait for their teacher's record. A pod does the
// one job that has its completion index as number. The store is a volume that all pods mount, and
// relative paths in Flags are on it.
//
// Kubernetes 1.29 or later knows all that is asked of it: backoffLimitPerIndex and podFailurePolicy.
type Manifest struct {
	Name    string // of the first Job; the second's has "-distilled" added
	Image   string // has the program on its PATH, as reidbench
	Claim   string // the PersistentVolumeClaim of the store; pods on several nodes need it ReadWriteMany
	Models  []models.Model
	Seeds   int    // runs of each model; 0: one
	Teacher string // the model that distilled ones learn from
	Flags   []string

	CPUs   int    // of a pod; 0: the cluster's default
	Memory string // of a pod, as Kubernetes writes it: 12Gi; "": the cluster's default
	Limit  int    // pods of a Job that run at the same time; 0: all
}

// ErrManifest is wrapped by errors about values that Kubernetes would refuse.
var ErrManifest = errors.New("no manifest for Kubernetes")

var (
	//go:embed job.yaml.tmpl
	jobTemplate string

	jobYAML = template.Must(template.New("job.yaml").Funcs(template.FuncMap{"quote": quote}).Parse(jobTemplate))

	// dnsLabel is RFC 1123's, as Kubernetes wants names, shortened by what is added to them.
	dnsLabel = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?$`)
	// quantity is an amount of memory.
	quantity = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|Pi|Ei|k|M|G|T|P|E)?$`)
)

// quote makes a double-quoted scalar of YAML, which knows all escapes of Go, and keeps Kubernetes from
// expanding $(VARIABLE) in it.
func quote(s string) string { return strconv.QuoteToASCII(strings.ReplaceAll(s, "$(", "$$(")) }

// indexedJob is what the template says.
type indexedJob struct {
	Manifest
	Models                   []string
	Completions, Parallelism int
	Awaits                   bool // the teacher's record, which another Job's pod writes
}

// Write writes the Jobs as YAML.
func (m Manifest) Write(w io.Writer) error {
	if err := m.validate(); err != nil {
		return err
	}
	labelled := indexedJob{Manifest: m}
	distilled := indexedJob{Manifest: m}
	distilled.Name += "-distilled"
	distilled.Awaits = slices.ContainsFunc(m.Models, func(model models.Model) bool { return model.Name == m.Teacher })
	for _, model := range m.Models {
		if model.Distill == models.NoDistillation {
			labelled.Models = append(labelled.Models, model.Name)
		} else {
			distilled.Models = append(distilled.Models, model.Name)
		}
	}
	for _, job := range []indexedJob{labelled, distilled} {
		if len(job.Models) == 0 {
			continue
		}
		job.Completions = len(job.Models) * max(m.Seeds, 1)
		job.Parallelism = job.Completions
		if m.Limit > 0 {
			job.Parallelism = min(m.Limit, job.Completions)
		}
		if err := jobYAML.Execute(w, job); err != nil {
			return err
		}
	}
	return nil
}

func (m Manifest) validate() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrManifest, fmt.Sprintf(format, args...))
	}
	switch {
	case !dnsLabel.MatchString(m.Name):
		return bad("the name %q is more than 42 lower-case letters, digits and hyphens", m.Name)
	case m.Image == "":
		return bad("no image is named")
	case m.Claim == "":
		return bad("no volume claim is named")
	case m.Memory != "" && !quantity.MatchString(m.Memory):
		return bad("%q is no amount of memory, which is written like 12Gi", m.Memory)
	case len(m.Models) == 0:
		return bad("no models")
	}
	return nil
}
