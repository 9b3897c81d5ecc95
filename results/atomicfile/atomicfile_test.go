package atomicfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestWriteReplacesTheWholeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "result.json")
	for _, content := range []string{"a long first version", "short", ""} {
		if err := Write(path, text(content)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != content {
			t.Errorf("file holds %q, want %q", got, content)
		}
	}
	wantOnly(t, filepath.Dir(path), "result.json")
}

func TestFailedWriteLeavesThePreviousFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "result.json")
	if err := Write(path, text("good")); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	err := Write(path, func(w io.Writer) error {
		io.WriteString(w, "half of")
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("error %v does not wrap the writer's", err)
	}
	if got, _ := os.ReadFile(path); string(got) != "good" {
		t.Errorf("file holds %q after a failed write, want %q", got, "good")
	}
	wantOnly(t, filepath.Dir(path), "result.json")
}

func TestFailedRenameRemovesTheTemporaryFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "occupied")
	if err := os.MkdirAll(filepath.Join(path, "child"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, text("x")); err == nil {
		t.Error("a folder was replaced by a file")
	}
	wantOnly(t, dir, "occupied")
}

func TestWriteFollowsALink(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := os.WriteFile(file, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("file", link); err != nil {
		t.Skip(err)
	}
	if err := Write(link, text("new")); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(file); string(got) != "new" {
		t.Errorf("the file that the link leads to holds %q, want %q", got, "new")
	}
	if to, err := os.Readlink(link); to != "file" {
		t.Errorf("the link leads to %q now: %v", to, err)
	}
	wantOnly(t, dir, "file", "link")
}

func TestMissingFolder(t *testing.T) {
	err := Write(filepath.Join(t.TempDir(), "missing", "file"), text("x"))
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want an error that is os.ErrNotExist", err)
	}
}

func TestRemovePartial(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".epoch-10.safetensors.partial-0123abcd", "keep.partial-0123abcd", ".keep"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := RemovePartial(dir); err != nil {
		t.Fatal(err)
	}
	wantOnly(t, dir, ".keep", "keep.partial-0123abcd")
}

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

// wantOnly fails the test unless dir holds exactly the named entries, given in lexical order.
func wantOnly(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if len(got) != len(names) {
		t.Fatalf("%s holds %q, want %q", dir, got, names)
	}
	for i := range names {
		if got[i] != names[i] {
			t.Fatalf("%s holds %q, want %q", dir, got, names)
		}
	}
}
