package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results"
	"github.com/reidbench/reidbench/results/regular"
)

// DomainsConfig says which models to judge on which datasets.
type DomainsConfig struct {
	EvaluateConfig // but for Model, Weights and Data, and what is written: files of one evaluation
	Models         []models.Model
	Files          map[string]string // of weights, by the name of the model
	Datasets       []string          // as [EvaluateConfig] takes them
}

// EvaluateDomains judges every model on every dataset, as [Evaluate] does. A dataset by which nothing can be judged is
// told of, and has no figures; one that is not there ends it before anything is judged. Figures that the folder of a
// run has already are made again.
func EvaluateDomains(ctx context.Context, c DomainsConfig) ([]results.DomainRun, error) {
	if c.Progress == nil {
		c.Progress = progress.Silent{}
	}
	opened := make([]*market1501.Dataset, len(c.Datasets))
	for i, data := range c.Datasets {
		var err error
		opened[i], err = market1501.Opener{Layout: c.Layout, TestOnly: true}.Open(ctx, data)
		switch {
		case errors.Is(err, market1501.ErrEmptySplit):
			opened[i] = &market1501.Dataset{Name: filepath.Base(data)}
		case err != nil:
			return nil, err
		}
	}
	var runs []results.DomainRun
	for _, m := range c.Models {
		run := results.DomainRun{Run: m.Name}
		record, err := runOf(m, c.Files[m.Name])
		if err != nil {
			return nil, err
		}
		if record != nil {
			run.TrainedOn = &record.Dataset
		}
		for i, data := range c.Datasets {
			one := c.EvaluateConfig
			one.Model, one.Weights, one.Data = m, c.Files[m.Name], data
			one.Progress = about{c.Progress, m.Name + " on " + opened[i].Name}
			d, err := one.domain(ctx, record, opened[i])
			if err != nil {
				return nil, fmt.Errorf("%s on %s: %w", m.Name, data, err)
			}
			run.Domains = append(run.Domains, d)
		}
		runs = append(runs, run)
	}
	return runs, nil
}

// about says what events are about that do not say it themselves.
type about struct {
	progress.Reporter
	what string
}

func (a about) Report(e progress.Event) {
	if e.Job == "" {
		e.Job = a.what
	}
	a.Reporter.Report(e)
}

// domain is one evaluation. That nothing can be judged by the dataset stands in it.
func (c EvaluateConfig) domain(
	ctx context.Context, run *results.Record, opened *market1501.Dataset,
) (results.Domain, error) {
	e, err := c.evaluateWeights(ctx)
	if err == nil {
		err = c.keep(e, run)
	}
	if errors.Is(err, market1501.ErrNoMatch) || errors.Is(err, market1501.ErrEmptySplit) {
		c.Progress.Report(progress.Event{Kind: progress.Warned, Text: err.Error()})
		protocol, protocolErr := results.NewProtocol(c.Protocol)
		return results.Domain{
			Model: c.Model.Name, Dataset: results.Dataset{Name: opened.Name}, Protocol: protocol, Failed: err.Error(),
		}, protocolErr
	}
	if err != nil {
		return results.Domain{}, err
	}
	text := fmt.Sprintf("Rank-1 %.2f, mAP %.2f", 100*e.Metrics.Rank1, 100*e.Metrics.MAP)
	c.Progress.Report(progress.Event{Kind: progress.Noted, Text: text})
	return e.domain()
}

// domain is the evaluation as it is kept, but for the weights' digest.
func (e Evaluation) domain() (results.Domain, error) {
	protocol, err := results.NewProtocol(e.Protocol)
	return results.Domain{
		Model: e.Model, Dataset: e.Dataset, Protocol: protocol, Metrics: e.Metrics,
		Queries: e.Queries, Skipped: e.Skipped, Images: e.Images,
	}, err
}

// keep leaves an evaluation in the folder of the run whose weights were judged, if they are those of a run, and it has
// not judged the same itself. That it can't be written there is told of.
func (c EvaluateConfig) keep(e Evaluation, run *results.Record) error {
	if run == nil {
		return nil
	}
	d, err := e.domain()
	if err != nil {
		return err
	}
	d.Weights = run.Weights
	if own := run.Own(); own == nil || own.Same(d) {
		return nil
	}
	file, written, err := results.WriteDomain(filepath.Dir(c.Weights), d)
	event := progress.Event{Kind: progress.Noted, Text: "kept beside the run: " + file}
	switch {
	case err != nil:
		event = progress.Event{Kind: progress.Warned, Text: "the figures are not kept beside the run: " + err.Error()}
	case !written:
		return nil
	}
	c.Progress.Report(event)
	return nil
}

// runOf is the record of the run of m that is done, and whose folder holds its weights in file; nil: there is none.
func runOf(m models.Model, file string) (*results.Record, error) {
	r, err := results.Read(filepath.Dir(file))
	if err != nil || r.State != results.StateDone || r.Model != m.Name || r.Weights == "" {
		return nil, nil // a file beside which nothing lies, or what another version has left
	}
	digest, err := regular.SHA256(file)
	if err != nil || digest != r.Weights {
		return nil, err
	}
	return &r, nil
}
