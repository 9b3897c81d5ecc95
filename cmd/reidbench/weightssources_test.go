package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/reidbench/reidbench/models"
)

func TestWeightsSources(t *testing.T) {
	text := succeed(t, "weights", "sources")
	golden(t, "weights-sources.txt", text)
	table, _, _ := strings.Cut(text, "\n\n")
	for line := range strings.Lines(table) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 80 {
			t.Errorf("a line of %d columns: %s", n, line)
		}
	}
}

func TestWeightsSourcesOfModels(t *testing.T) {
	golden(t, "weights-sources-models.txt", succeed(t, "weights", "sources", "osnet*", "senet154", "lenet", "--wide"))
}

func TestWeightsSourcesJSON(t *testing.T) {
	var got sourcesJSON
	if err := json.Unmarshal([]byte(succeed(t, "weights", "sources", "--all", "--json")), &got); err != nil {
		t.Fatal(err)
	}
	if got.Format != sourcesFormat || len(got.Models) != len(models.All()) {
		t.Fatalf("format %s, %d models", got.Format, len(got.Models))
	}
	for _, m := range got.Models {
		if (len(m.Files) == 0) == (m.Absent == "") {
			t.Errorf("%s has %d files and %q", m.Model, len(m.Files), m.Absent)
		}
		for i, f := range m.Files {
			if f.Default != (i == 0) || f.Saved == "" {
				t.Errorf("%s: file %d is %+v", m.Model, i, f)
			}
		}
	}
}
