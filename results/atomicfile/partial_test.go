package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func openPartial(t *testing.T, path string) *Partial {
	t.Helper()
	p, err := OpenPartial(path)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func appendTo(t *testing.T, p *Partial, content string) {
	t.Helper()
	if _, err := p.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
}

func TestPartialGoesOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	p := openPartial(t, path)
	appendTo(t, p, "first, ")
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	wantOnly(t, filepath.Dir(path), ".file.unfinished")

	p = openPartial(t, path)
	if p.Size() != 7 {
		t.Errorf("%d bytes are there, want 7", p.Size())
	}
	appendTo(t, p, "second")
	if p.Size() != 13 {
		t.Errorf("%d bytes are there, want 13", p.Size())
	}
	if err := p.Finish(); err != nil {
		t.Fatal(err)
	}
	wantOnly(t, filepath.Dir(path), "file")
	if got, _ := os.ReadFile(path); string(got) != "first, second" {
		t.Errorf("the file holds %q", got)
	}
}

func TestPartialRestarts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := Write(path, text("previous")); err != nil {
		t.Fatal(err)
	}
	p := openPartial(t, path)
	appendTo(t, p, "a long first version")
	if err := p.Restart(); err != nil {
		t.Fatal(err)
	}
	appendTo(t, p, "short")
	if p.Size() != 5 {
		t.Errorf("%d bytes are there, want 5", p.Size())
	}
	if got, _ := os.ReadFile(path); string(got) != "previous" {
		t.Errorf("before it is finished the file holds %q", got)
	}
	if err := p.Finish(); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); string(got) != "short" {
		t.Errorf("the file holds %q", got)
	}
}

func TestPartialIsDiscarded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	p := openPartial(t, path)
	appendTo(t, p, "wrong")
	if err := p.Discard(); err != nil {
		t.Fatal(err)
	}
	wantOnly(t, filepath.Dir(path))
}

func TestPartialWithoutAFolder(t *testing.T) {
	if _, err := OpenPartial(filepath.Join(t.TempDir(), "missing", "file")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want an error that is os.ErrNotExist", err)
	}
}
