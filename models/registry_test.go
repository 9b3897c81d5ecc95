package models

import (
	"errors"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/models/graph"
)

func nothing(b *graph.Builder, classes int) (features, logits *graph.Node) {
	return b.Input(), b.Linear("head", b.Input(), classes)
}

func named(list []Model) []string {
	var names []string
	for _, m := range list {
		names = append(names, m.Name)
	}
	return names
}

func TestRegisterRefusesMistakes(t *testing.T) {
	input := graph.Shape{H: 1, W: 1, C: 3}
	first := Model{Name: "net50", Row: "Net50", Aliases: []string{"net_50"}, Input: input, Build: nothing}
	tests := map[string]struct {
		second Model
		want   string // part of the error, "" if there is none
	}{
		"another":          {Model{Name: "net18", Input: input, Build: nothing}, ""},
		"same name":        {Model{Name: "net50", Input: input, Build: nothing}, `net50 already answers to "net50"`},
		"other case":       {Model{Name: "NET50", Input: input, Build: nothing}, `already answers to "net50"`},
		"name is an alias": {Model{Name: "net_50", Input: input, Build: nothing}, `already answers to "net_50"`},
		"same row": {Model{Name: "x", Row: "Net50", Input: input, Build: nothing},
			`already answers to "net50"`},
		"no name":            {Model{Input: input, Build: nothing}, "needs a name"},
		"no build function":  {Model{Name: "x", Input: input}, "needs a name"},
		"no input dimension": {Model{Name: "x", Build: nothing}, "needs a name"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := registry{byName: map[string]int{}}
			if err := r.add(first); err != nil {
				t.Fatal(err)
			}
			err := r.add(test.second)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestRowsAreThePublishedTables(t *testing.T) {
	var rows []string
	for _, m := range Rows() {
		rows = append(rows, m.Row)
		if want := strings.ToLower(strings.TrimSuffix(m.Row, "(256,128)")); m.Name != want {
			t.Errorf("row %s is called %s, not %s", m.Row, m.Name, want)
		}
		if want := distillationOf(m.Row); m.Distill != want {
			t.Errorf("row %s learns by %q distillation, not %q", m.Row, m.Distill, want)
		}
	}
	if _, err := Lookup(DefaultTeacher); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(publishedRows, rows); diff != "" {
		t.Errorf("rows (-published +registered):\n%s", diff)
	}
	for _, m := range registered.models {
		if m.Row != "" && !slices.Contains(publishedRows, m.Row) {
			t.Errorf("%s claims the row %s, which is not published", m.Name, m.Row)
		}
	}
	if got := named(All()); len(got) != len(registered.models) {
		t.Errorf("All has %d of %d models", len(got), len(registered.models))
	}
}

func distillationOf(row string) Distillation {
	switch {
	case strings.Contains(row, "-Distiled-Hard"):
		return HardDistillation
	case strings.Contains(row, "-Distiled-Soft"):
		return SoftDistillation
	}
	return NoDistillation
}

func TestLookup(t *testing.T) {
	tests := map[string]string{ // spelling → model
		"resnet50":                        "resnet50",
		"ResNet50":                        "resnet50",
		"mobilenet_v3_small":              "mobilenetv3-small",
		"Mobilenetv3-small":               "mobilenetv3-small",
		"osnet_x1_0":                      "osnet",
		"DeiT-T16(256,128)":               "deit-t16",
		"deit_tiny_patch16_224":           "deit-t16",
		"DeiT-B16-Distiled-Hard(256,128)": "deit-b16-distiled-hard",
		"deit-b16-distilled-hard":         "deit-b16-distiled-hard",
	}
	for name, want := range tests {
		if m, err := Lookup(name); err != nil || m.Name != want {
			t.Errorf("Lookup(%q) = %q, %v; want %q", name, m.Name, err, want)
		}
	}
}

func TestLookupSuggestsTheNearest(t *testing.T) {
	tests := map[string]string{
		"resnet5":       `"resnet50"`,
		"rsenet50":      `"resnet50"`,
		"AlexNt":        `"alexnet"`,
		"mobilenetv3":   `"mobilenetv1"`,
		"osnet-x1.0":    `"osnet_x1_0"`,
		"deit-s16-hard": `"deit-s16"`,
	}
	for name, want := range tests {
		_, err := Lookup(name)
		if !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), want) {
			t.Errorf("Lookup(%q): %v; want an unknown model near %s", name, err, want)
		}
	}
}

func TestMatch(t *testing.T) {
	tests := []struct {
		patterns []string
		want     []string
		err      error
	}{
		{[]string{"osnet", "AlexNet"}, []string{"alexnet", "osnet"}, nil},
		{[]string{"alexnet", "alex*", "ALEXNET"}, []string{"alexnet"}, nil},
		{[]string{"deit-?16"}, []string{"deit-t16", "deit-s16", "deit-b16"}, nil},
		{[]string{"*-Distiled-Soft*"},
			[]string{"deit-t16-distiled-soft", "deit-s16-distiled-soft", "deit-b16-distiled-soft"}, nil},
		{[]string{"deit_tiny_*"}, []string{"deit-t16"}, nil},
		{[]string{"all"}, named(Rows()), nil},
		{[]string{"*"}, named(All()), nil},
		{nil, nil, nil},
		{[]string{"alexnet", "nosuch*"}, nil, ErrUnknown},
		{[]string{"nosuch"}, nil, ErrUnknown},
		{[]string{"[a"}, nil, path.ErrBadPattern},
	}
	for _, test := range tests {
		got, err := Match(test.patterns...)
		if !errors.Is(err, test.err) {
			t.Errorf("Match(%q): error %v, want %v", test.patterns, err, test.err)
		}
		if diff := cmp.Diff(test.want, named(got)); err == nil && diff != "" {
			t.Errorf("Match(%q) (-want +got):\n%s", test.patterns, diff)
		}
	}
}

func TestEditDistance(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}, {"same", "same", 0}}
	for _, test := range tests {
		if got := editDistance(test.a, test.b); got != test.want {
			t.Errorf("editDistance(%q, %q) = %d, want %d", test.a, test.b, got, test.want)
		}
	}
}

func TestPanicOfAModelIsAnError(t *testing.T) {
	m := Model{Name: "broken", Input: graph.Shape{H: 1, W: 1, C: 3},
		Build: func(*graph.Builder, int) (features, logits *graph.Node) {
			panic("no such layer")
		}}
	g, err := m.Graph(2)
	var panicked interface{ Stack() []byte }
	if g != nil || !errors.As(err, &panicked) || err.Error() != "panic: no such layer" {
		t.Fatalf("graph %v, error %v", g, err)
	}
	if !strings.Contains(string(panicked.Stack()), "TestPanicOfAModelIsAnError") {
		t.Errorf("the stack does not say where it came from:\n%s", panicked.Stack())
	}
}
