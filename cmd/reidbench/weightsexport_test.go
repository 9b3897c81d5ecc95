package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWeightsExport exports weights of a run, and says what is wrong with those that it cannot.
func TestWeightsExport(t *testing.T) {
	data, dir := synthetic(t), t.TempDir()
	runs, out := filepath.Join(dir, "runs"), filepath.Join(dir, "lenet.onnx")
	succeed(t, "run", "lenet", "--data", data, "--recipe", "tiny", "--out", runs)
	weights := filepath.Join(runs, "lenet", "weights.safetensors")

	text := succeed(t, "weights", "export", "lenet", "--weights", weights, "--onnx", out)
	for _, part := range []string{
		out, "images, float32 [batch, 3, 32, 32]", "embeddings, float32 [batch, 84]", "opset 17",
	} {
		if !strings.Contains(text, part) {
			t.Errorf("the output lacks %q:\n%s", part, text)
		}
	}
	var exported struct {
		Files []string
		Bytes int64
		Input struct{ Type string }
	}
	text = succeed(t, "weights", "export", "lenet", "--weights", weights, "--onnx", out, "--normalise", "--json",
		"--keep-batchnorm")
	if err := json.Unmarshal([]byte(text), &exported); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if info, err := os.Stat(out); err != nil || len(exported.Files) != 1 || exported.Files[0] != out ||
		exported.Bytes != info.Size() || exported.Input.Type != "uint8" {
		t.Errorf("exported %+v, %v", exported, err)
	}

	for _, test := range []struct {
		args   []string
		code   int
		stderr string
	}{
		{[]string{"lenet", "--weights", weights, "--onnx", weights}, exitFound, "is the file of weights itself"},
		{[]string{"lenet", "--weights", out, "--onnx", out + "2"}, exitFound, out},
		{[]string{"lenet", "--weights", weights, "--onnx", dir}, exitFound, dir},
		{[]string{"osnet", "--weights", weights, "--onnx", out}, exitFound, weights},
		{[]string{"lenett", "--weights", weights, "--onnx", out}, exitMisuse, `did you mean "lenet"`},
		{[]string{"lenet", "--weights", weights}, exitMisuse, `"onnx" not set`},
		{[]string{"lenet", "--onnx", out}, exitMisuse, `"weights" not set`},
	} {
		o := reidbench(t, append([]string{"weights", "export"}, test.args...)...)
		if o.code != test.code || !strings.Contains(o.stderr, test.stderr) {
			t.Errorf("%v: exit code %d, want %d; standard error %q lacks %q", test.args, o.code, test.code, o.stderr,
				test.stderr)
		}
	}
}
