package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/reidbench/reidbench/bench/weights/sources"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results"
)

// sourcesFormat names the layout of the JSON of weights sources.
const sourcesFormat = "reidbench-weights-sources/1"

func newWeightsSourcesCommand() *cobra.Command {
	var all, wide, json bool
	command := &cobra.Command{
		Use:   "sources [MODEL...]",
		Short: "List the public files of weights that fit the models",
		Long: `Sources lists files of weights trained on ImageNet, which torchvision, timm and torchreid
publish and which fit the models here: without a model the file to begin with of every
row, with models all of theirs, that one first. Top-1 is the accuracy on ImageNet that
the library states, MB the size that it states.

--wide adds the licence, the SHA-256 or the part of it in the file's name, and the
address. It is read from the libraries' code, nothing is looked up.`,
		Example: `  reidbench weights sources

  # all files for two models, with their addresses
  reidbench weights sources resnet50 osnet --wide

  # everything, for a script
  reidbench weights sources --all --json`,
		ValidArgsFunction: completeModels,
		Args:              cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			list := models.Rows()
			if all {
				list = models.All()
			}
			if len(args) > 0 {
				var err error
				if list, err = models.Match(args...); err != nil {
					return err
				}
			}
			w := c.OutOrStdout()
			if wide {
				w = struct{ io.Writer }{w} // no terminal, whose width would be kept to
			}
			switch {
			case json:
				return writeJSON(w, describeSources(list))
			case len(args) > 0:
				return printSourcesOf(w, list, wide)
			}
			return printDefaults(w, list, wide)
		},
	}
	flags := command.Flags()
	flags.BoolVar(&all, "all", false, "also the models that are no rows of the published tables")
	flags.BoolVar(&wide, "wide", false, "also licence, SHA-256 and address")
	flags.BoolVar(&json, "json", false, "write JSON: all files of every model")
	return command
}

// sourcesJSON is what --json writes.
type sourcesJSON struct {
	Format string            `json:"format"`
	Models []modelSourceJSON `json:"models"`
}

type modelSourceJSON struct {
	Model  string         `json:"model"`
	Files  []sources.File `json:"files"` // the default first
	Absent string         `json:"absent,omitempty"`
}

func describeSources(list []models.Model) sourcesJSON {
	document := sourcesJSON{sourcesFormat, []modelSourceJSON{}}
	for _, m := range list {
		files := append([]sources.File{}, sources.Of(m.Name)...)
		for i := range files {
			files[i].Saved = files[i].FileName()
		}
		document.Models = append(document.Models, modelSourceJSON{m.Name, files, sources.WhyAbsent(m.Name)})
	}
	return document
}

// printDefaults prints one file a model.
func printDefaults(w io.Writer, list []models.Model, wide bool) error {
	columns := append([]column{{Title: "Model", Left: true}}, sourceColumns(wide)...)
	var rows [][]string
	var shown []sources.File
	for _, m := range list {
		f, ok := sources.Default(m.Name)
		if !ok {
			rows = append(rows, append([]string{m.Name}, slices.Repeat([]string{"–"}, len(columns)-1)...))
			continue
		}
		shown = append(shown, f)
		rows = append(rows, append([]string{m.Name}, sourceCells(f, wide)...))
	}
	if err := writeTable(w, columns, rows, nil); err != nil {
		return err
	}
	fmt.Fprintln(w)
	facts := append(sourceFacts(list, shown, wide), results.Fact{
		Label: "next", Text: `"reidbench weights sources MODEL" lists all files of a model, "reidbench weights ` +
			`fetch MODEL" fetches the one above.`,
	})
	results.WriteFacts(w, facts, terminalWidth(w))
	return nil
}

// printSourcesOf prints all files of every model, the default first.
func printSourcesOf(w io.Writer, list []models.Model, wide bool) error {
	var shown []sources.File
	for _, m := range list {
		files := sources.Of(m.Name)
		if len(files) == 0 {
			continue
		}
		shown = append(shown, files...)
		var rows [][]string
		for _, f := range files {
			rows = append(rows, sourceCells(f, wide))
		}
		columns := sourceColumns(wide)
		columns[0].Title = m.Name
		if err := writeTable(w, columns, rows, nil); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	facts := sourceFacts(list, shown, wide)
	if len(shown) > 0 {
		last := shown[len(shown)-1].Qualified()
		facts = append(facts, results.Fact{
			Label: "next", Text: `"reidbench weights fetch MODEL" fetches the first file of a model, "reidbench ` +
				`weights fetch ` + last + `" the one of that library and name.`,
		})
	}
	results.WriteFacts(w, facts, terminalWidth(w))
	return nil
}

// ofLibrary marks a licence that is the library's.
const ofLibrary = "*"

// sourceColumns are those of a file. Where a terminal has no room, the library gives way first, then the size.
func sourceColumns(wide bool) []column {
	columns := []column{
		{Title: "File", Left: true}, {Title: "Top-1"}, {Title: "MB", Yields: 1},
		{Title: "Library", Left: true, Yields: 2},
	}
	if wide {
		for _, title := range []string{"Licence", "SHA-256", "Address"} {
			columns = append(columns, column{Title: title, Left: true})
		}
	}
	return columns
}

func sourceCells(f sources.File, wide bool) []string {
	cells := []string{f.Name, "–", "–", f.Library}
	if f.Top1 > 0 {
		cells[1] = fmt.Sprintf("%.2f", f.Top1)
	}
	if f.Size > 0 {
		cells[2] = fmt.Sprintf("%.0f", megabytes(f.Size))
	}
	if !wide {
		return cells
	}
	licence, digest := f.Licence, "–"
	if f.LicenceOf != "" {
		licence += ofLibrary
	}
	if f.SHA256 != "" {
		digest = f.SHA256
	}
	return append(cells, licence, digest, f.URL)
}

// sourceFacts say what the table has no column for.
func sourceFacts(list []models.Model, shown []sources.File, wide bool) []results.Fact {
	var facts []results.Fact
	if wide && slices.ContainsFunc(shown, func(f sources.File) bool { return f.LicenceOf != "" }) {
		facts = append(facts, results.Fact{
			Label: ofLibrary, Text: "the library's licence; what the weights themselves are under is not stated there.",
		})
	}
	for _, m := range list {
		if why := sources.WhyAbsent(m.Name); why != "" {
			facts = append(facts, results.Fact{Label: m.Name, Text: why + "."})
		}
		if standard, ok := m.Standard(); ok {
			facts = append(facts, results.Fact{Label: m.Name, Text: "the file is of the published network, which is " +
				standard.Name + " here; it has the row's tensors and computes something else."})
		}
	}
	var restricted byReason
	for _, f := range shown {
		if !wide && !f.Free() {
			restricted.add(f.Licence+":", f.Name)
		}
	}
	if len(restricted) > 0 {
		facts = append(facts, results.Fact{Label: "Licence", Text: restricted.text() + "."})
	}
	for _, f := range shown {
		if f.Note != "" {
			facts = append(facts, results.Fact{Label: f.Name, Text: f.Note + "."})
		}
	}
	return facts
}

// megabytes is for people.
func megabytes(n int64) float64 { return float64(n) / 1e6 }
