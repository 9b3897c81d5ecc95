package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReportColumns: one table of the columns that are named, in their order; what is none is a misuse that names all.
func TestReportColumns(t *testing.T) {
	dir := runs(t)
	text := succeed(t, "report", "--runs", dir, "--columns", "latency_ms,map_published", "--columns", "map")
	table := text[strings.Index(text, "Model"):]
	title, _, _ := strings.Cut(table, "\n")
	if diff := cmp.Diff([]string{"Model", "Latency", "mAP", "mAP"}, strings.Fields(title)); diff != "" {
		t.Errorf("titles (-want +got):\n%s", diff)
	}
	if n := strings.Count(text, "───\n"); n != 1 {
		t.Errorf("%d tables, want one:\n%s", n, text)
	}
	for _, command := range [][]string{{"report"}, {"run", "lenet"}} {
		o := reidbench(t, append(command, "--columns", "map,nothing")...)
		if o.code != exitMisuse || !strings.Contains(o.stderr, `"nothing"; there are map_published,`) {
			t.Errorf("%v: exit code %d, %s", command, o.code, o.stderr)
		}
	}
}

// TestReportCompare: what is not as published has no difference from it but on request, with the reason above it.
func TestReportCompare(t *testing.T) {
	dir := runs(t)
	const reason = "None of ours are (another recipe). Their differences compare unlike things."
	plain := succeed(t, "report", "--runs", dir, "--markdown")
	if strings.Contains(plain, " Δ |") {
		t.Errorf("compared unasked:\n%s", plain)
	}
	compared := succeed(t, "report", "--runs", dir, "--markdown", "--compare")
	if !strings.Contains(compared, " Δ |") || !strings.Contains(compared, reason) {
		t.Errorf("not compared, or without the reason:\n%s", compared)
	}
}
