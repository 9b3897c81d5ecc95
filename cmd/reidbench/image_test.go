package main

import "testing"

func TestImageOf(t *testing.T) {
	for version, want := range map[string]string{
		"v1.2.3":                               "ghcr.io/reidbench/reidbench:v1.2.3",
		"v1.20.0-rc.1":                         "ghcr.io/reidbench/reidbench:v1.20.0-rc.1",
		"":                                     "",
		"unknown":                              "",
		"(devel)":                              "",
		"v1.2.3+dirty":                         "",
		"v1.2.4-0.20261129040427-a5ef38312345": "",
		"v0.0.0-20261129040427-a5ef38312345":   "",
		"v1.2.3-rc.1.0.20261129040427-a5ef38312345":  "",
		"v1.2.4-0.20261129040427-a5ef38312345+dirty": "",
	} {
		if got := imageOf(version); got != want {
			t.Errorf("the image of %q is %q, want %q", version, got, want)
		}
	}
}
