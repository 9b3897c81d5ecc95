package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/reidbench/reidbench/results"
	"github.com/reidbench/reidbench/results/choice"
)

// choiceFormat names the layout of choose's JSON.
const choiceFormat = "reidbench-choice/1"

func newChooseCommand() *cobra.Command {
	var (
		limits         = choice.Limits{}
		runs, measured string
		json           bool
	)
	command := &cobra.Command{
		Use:   "choose",
		Short: "Say which models are worth having within limits of cost",
		Long: `Choose prints the rows of the published tables that cost no more than the limits, the
best mAP first. Left out are those that another one of them beats: it is as good in mAP,
Rank-1 and every cost, and better in one. * marks the Pareto front of mAP and the costs
that are limited (without limits of mAP and latency, where it is known, else MACs): more
mAP costs more.

Accuracy is as published, on Market-1501; † marks ours, which stands where a row's runs
were made on all of Market-1501 by the paper's recipe. Params and MACs are counted as
published, for one 256×128 image, without the final classifier. Latency (the median) and
memory are those of one image, from the runs or from a file of "reidbench measure".
Where they are limited, models without them can't be chosen.

The exit code is 1 if nothing is within the limits.`,
		Example: `  # what fits into a small device
  reidbench choose --max-params 10M --max-macs 1G

  # what is fast enough here
  reidbench measure all --out measured.json
  reidbench choose --max-latency 20ms --max-memory 300MB --measured measured.json

  reidbench choose --max-macs 2G --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			report, err := loadReport(runs)
			if errors.Is(err, fs.ErrNotExist) && !c.Flags().Changed("runs") {
				report, err = newReport(nil) // it needs no runs
			}
			if err != nil {
				return err
			}
			nameOdd(report, c.ErrOrStderr())
			if err := addMeasurements(report, measured); err != nil {
				return err
			}
			chosen := choice.Choose(choice.Candidates(report), limits)
			if json {
				err = writeJSON(c.OutOrStdout(), chosenJSON{choiceFormat, limits, chosen})
			} else {
				err = printChoice(c.OutOrStdout(), chosen)
			}
			if err == nil && len(chosen.Fitting) == 0 {
				err = quietly(errFound, errors.New("no row is known to be within the limits"))
			}
			return err
		},
	}
	flags := command.Flags()
	for _, l := range []struct {
		cost  choice.Cost
		usage string
	}{
		{choice.Latency, "`time` that one image may take: 20ms"},
		{choice.Params, "`count` of parameters at most: 10M"},
		{choice.MACs, "`count` of multiply-adds for one image at most: 2G"},
		{choice.Memory, "`bytes` in use for one image at most, with the weights: 300MB"},
	} {
		flags.Var(&limitValue{cost: l.cost, limits: limits}, "max-"+strings.ToLower(l.cost.Title()), l.usage)
	}
	flags.StringVar(&measured, "measured", "", measuredUsage)
	flags.StringVar(&runs, "runs", defaultRuns, "`folder` of the runs")
	flags.BoolVar(&json, "json", false, "write JSON, costs in single units, ms and bytes")
	return command
}

// limitValue is a flag that limits a cost.
type limitValue struct {
	cost   choice.Cost
	limits choice.Limits
	text   string
}

func (v *limitValue) String() string { return v.text }
func (v *limitValue) Type() string   { return "limit" }

func (v *limitValue) Set(text string) error {
	limit, err := choice.ParseLimit(v.cost, text)
	if err == nil {
		v.limits[v.cost], v.text = limit, text
	}
	return err
}

// chosenJSON is what --json writes.
type chosenJSON struct {
	Format string        `json:"format"`
	Limits choice.Limits `json:"limits"`
	choice.Choice
}

func printChoice(w io.Writer, c choice.Choice) error {
	if len(c.Fitting) > 0 {
		if err := printFitting(w, c.Fitting); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	results.WriteFacts(w, choiceFacts(c), terminalWidth(w))
	return nil
}

// ours marks an accuracy that is not the published one.
const ours = "†"

func printFitting(w io.Writer, fitting []choice.Fitting) error {
	columns := []column{{Title: "Model", Left: true}, {Title: "mAP"}, {Title: "Rank-1"}}
	var costs []choice.Cost
	for _, cost := range choice.Costs() {
		if slices.ContainsFunc(fitting, func(f choice.Fitting) bool { return f.Costs[cost] > 0 }) {
			costs = append(costs, cost)
			title := cost.Title()
			columns = append(columns, column{Title: strings.ToUpper(title[:1]) + title[1:]})
		}
	}
	var rows [][]string
	for _, f := range fitting {
		name := f.Model
		if f.Front {
			name += " *"
		}
		row := []string{name, fmt.Sprintf("%.2f", f.MAP), fmt.Sprintf("%.2f", f.Rank1)}
		switch {
		case f.Accuracy == choice.Ours:
			row[1] += ours
		case someOurs(fitting):
			row[1] += strings.Repeat(" ", utf8.RuneCountInString(ours)) // the points stay below each other
		}
		for _, cost := range costs {
			row = append(row, costText(cost, f.Costs[cost]))
		}
		rows = append(rows, row)
	}
	return writeTable(w, columns, rows, nil)
}

func someOurs(fitting []choice.Fitting) bool {
	return slices.ContainsFunc(fitting, func(f choice.Fitting) bool { return f.Accuracy == choice.Ours })
}

// costText prints a cost with its unit.
func costText(cost choice.Cost, v float64) string {
	switch {
	case v == 0:
		return "–"
	case cost == choice.Params:
		return fmt.Sprintf("%.2f M", v/1e6)
	case cost == choice.MACs:
		return fmt.Sprintf("%.3f G", v/1e9)
	case cost == choice.Latency:
		return figure(v) + " ms"
	}
	return figure(mebibytes(int64(v))) + " MiB"
}

// choiceFacts say what the table's marks are, and what became of the models that are not in it.
func choiceFacts(c choice.Choice) []results.Fact {
	var facts []results.Fact
	add := func(label, format string, args ...any) {
		facts = append(facts, results.Fact{Label: label, Text: fmt.Sprintf(format, args...)})
	}
	if len(c.Fitting) > 0 {
		add("*", "on the Pareto front of mAP and %s: more mAP costs more", titles(c.FrontBy))
		if someOurs(c.Fitting) {
			add(ours, "ours, on all of Market-1501 by the paper's recipe; the others as published")
		} else {
			add("mAP", "as published, on Market-1501")
		}
	}
	if len(c.Beaten) > 0 {
		var by byReason
		for _, b := range c.Beaten {
			by.add(b.By+" beats", b.Model)
		}
		add("Beaten", "in mAP, Rank-1 and all costs: %s", by.text())
	}
	if len(c.Unknown) > 0 {
		var by byReason
		for _, u := range c.Unknown {
			by.add(titles(u.Lacks)+" of", u.Model)
		}
		add("Not known", `%s. "reidbench measure all --out measured.json" tells, then --measured measured.json`,
			by.text())
	}
	if len(c.Over) > 0 {
		var by byReason
		for _, o := range c.Over {
			by.add("too much of "+titles(o.Exceeds)+":", o.Model)
		}
		add("Over", "%s", by.text())
	}
	return facts
}

// byReason are models by what is to be said of them, in the order in which that comes up.
type byReason []struct {
	what   string
	models []string
}

func (g *byReason) add(what, model string) {
	for i := range *g {
		if (*g)[i].what == what {
			(*g)[i].models = append((*g)[i].models, model)
			return
		}
	}
	*g = append(*g, struct {
		what   string
		models []string
	}{what, []string{model}})
}

func (g byReason) text() string {
	var parts []string
	for _, group := range g {
		parts = append(parts, group.what+" "+strings.Join(group.models, ", "))
	}
	return strings.Join(parts, "; ")
}

func titles(costs []choice.Cost) string {
	var list []string
	for _, cost := range costs {
		list = append(list, cost.Title())
	}
	return strings.Join(list, ", ")
}
