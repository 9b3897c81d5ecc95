package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/reidbench/reidbench/bench"
)

// TestEvalROC: pairs are judged when that is asked for, and drawn.
func TestEvalROC(t *testing.T) {
	data, dir := synthetic(t), t.TempDir()
	runs, drawing := filepath.Join(dir, "runs"), filepath.Join(dir, "roc")
	succeed(t, "run", "lenet", "--data", data, "--recipe", "tiny", "--out", runs)
	eval := []string{"eval", "lenet", "--weights", filepath.Join(runs, "lenet", "weights.safetensors"), "--data", data}
	with := func(more ...string) string { return succeed(t, append(eval[:len(eval):len(eval)], more...)...) }

	if text := with(); strings.Contains(text, "pairs") {
		t.Errorf("pairs that nobody has asked for:\n%s", text)
	}
	text := with("--roc", "--fpr", "0.25,1", "--roc-plot", drawing+".png")
	for _, part := range []string{"\nOf pairs: ", "equal error rate ", " 25 ", "100  100.00"} {
		if !strings.Contains(text, part) {
			t.Errorf("the output lacks %q:\n%s", part, text)
		}
	}
	var e bench.Evaluation
	if err := json.Unmarshal([]byte(with("--roc-plot", drawing+".svg", "--json")), &e); err != nil {
		t.Fatal(err)
	}
	v := e.Verification
	if v == nil || v.Genuine < 1 || v.Impostor < 1 || len(v.Points) != 4 || v.EqualRate <= 0 || v.EqualAt <= 0 {
		t.Fatalf("verification %+v", v)
	}
	for i, p := range v.Curve[1:] {
		if before := v.Curve[i]; p.FPR <= before.FPR || p.TPR < before.TPR {
			t.Errorf("the curve falls from %+v to %+v", before, p)
		}
	}
	if last := v.Curve[len(v.Curve)-1]; last.FPR != 1 || last.TPR != 1 || last.Distance == nil {
		t.Errorf("the curve ends with %+v", last)
	}
	for ending, begins := range map[string]string{".png": "\x89PNG", ".svg": "<?xml"} {
		if file, err := os.ReadFile(drawing + ending); err != nil || !bytes.HasPrefix(file, []byte(begins)) {
			t.Errorf("the drawing in %s: %d bytes, %v", ending, len(file), err)
		}
	}
}

func TestROCMisused(t *testing.T) {
	for args, want := range map[string]string{
		"--fpr 0.1":            "--fpr says nothing without --roc",
		"--roc --fpr 0":        "--fpr 0: a rate is above 0",
		"--roc --fpr 0.1,1.5":  "--fpr 1.5: a rate is above 0 and at most 1",
		"--roc-plot curve.pdf": "has to end in .png or .svg",
	} {
		o := reidbench(t, strings.Fields("eval lenet --weights x --data y "+args)...)
		if o.code != exitMisuse || !strings.Contains(o.stderr, want) {
			t.Errorf("eval %s: %+v, want %q", args, o, want)
		}
	}
}
