package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// TestImage reads an image back: its blobs are what their digests say, and the layer is a whole archive of all files.
func TestImage(t *testing.T) {
	program := filepath.Join(t.TempDir(), "program")
	text := bytes.Repeat([]byte("program"), 1000)
	if err := os.WriteFile(program, text, 0o700); err != nil {
		t.Fatal(err)
	}
	b := build{os: "linux", arch: "arm64", version: "v1.2.3", revision: "abc", time: time.Unix(1e9, 0)}
	image, err := b.image(program)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if _, err := layout.Write(folder, mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: image})); err != nil {
		t.Fatal(err)
	}
	written, err := layout.ImageIndexFromPath(folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(written); err != nil {
		t.Error(err)
	}
	layers, err := image.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("%d layers, error %v", len(layers), err)
	}
	files, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	modes := map[string]int64{}
	r := tar.NewReader(files)
	for {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		modes[header.Name] = header.Mode
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if header.Name == "reidbench" && !bytes.Equal(content, text) {
			t.Errorf("the program has %d bytes, want %d", len(content), len(text))
		}
	}
	if len(modes) != 2 || modes["tmp/"] != 0o1777 || modes["reidbench"] != 0o755 {
		t.Errorf("files and their modes: %v", modes)
	}
	if end, err := io.ReadAll(files); err != nil || len(end) > 0 {
		t.Errorf("after the archive: %d bytes, error %v", len(end), err)
	}
}
