package weights

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestForeignFiles: what lies where weights should is called by its name.
func TestForeignFiles(t *testing.T) {
	for name, c := range map[string]struct{ content, want string }{
		"empty": {"", "an empty file"},
		"git-LFS": {
			"version https://git-lfs.github.com/spec/v1\noid sha256:" + strings.Repeat("0", 64) + "\nsize 102465\n",
			`a git-LFS pointer, which stands for a file that is not here yet: "git lfs pull" fetches it`,
		},
		"page":          {"<!DOCTYPE html><html><title>Virus scan</title></html>", "a web page in the place of"},
		"page, later":   {"\ufeff\r\n <HTML lang=en>", "a web page in the place of"},
		"denied":        {"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "XML in the place of"},
		"message":       {`{"message": "Not Found"}`, "JSON, not tensors"},
		"configuration": {"{\n  \"a\": 1\n}", "JSON, not tensors"},
		"gzip":          {"\x1f\x8b\x08\x00", "compressed by gzip: unpack it first"},
		"tar":           {strings.Repeat("\x00", 257) + "ustar\x0000", "a tar archive: unpack it first"},
		"Keras":         {"\x89HDF\r\n\x1a\n", "HDF5"},
		"NumPy":         {"\x93NUMPY\x01\x00", "a NumPy array"},
		"pickle":        {"\x80\x02}q\x00.", "neither safetensors nor a file of torch.save's"},
	} {
		path := filepath.Join(t.TempDir(), "weights.pth")
		if err := os.WriteFile(path, []byte(c.content), 0o666); err != nil {
			t.Fatal(err)
		}
		_, err := Open(path)
		if err == nil || !strings.HasPrefix(err.Error(), path+": "+c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestCutOff: a download that broke is told from a file that makes no sense.
func TestCutOff(t *testing.T) {
	for _, name := range []string{"state_dict.pth", "state_dict_legacy.pth", "dtypes.safetensors"} {
		whole, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, size := range []int{len(whole) / 3, len(whole) * 2 / 3, len(whole) - 1} {
			path := filepath.Join(t.TempDir(), name)
			if err := os.WriteFile(path, whole[:size], 0o666); err != nil {
				t.Fatal(err)
			}
			_, err := Open(path)
			if err == nil || !strings.Contains(err.Error(), "the file ends too early, as after a download that broke") {
				t.Errorf("%s, %d of %d bytes: %v", name, size, len(whole), err)
			}
		}
	}
}
