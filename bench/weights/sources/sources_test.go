package sources

import (
	"slices"
	"strings"
	"testing"

	"github.com/reidbench/reidbench/models"
)

// TestEveryModel: each has files, one of them the default, or a reason for having none; and no file is for a model that
// is not there.
func TestEveryModel(t *testing.T) {
	for _, m := range models.All() {
		if _, ok := Default(m.Name); ok == (WhyAbsent(m.Name) != "") {
			t.Errorf("%s: a file: %v, why absent: %q", m.Name, ok, WhyAbsent(m.Name))
		}
	}
	for _, f := range published().Files {
		for _, name := range f.Models {
			if m, err := models.Lookup(name); err != nil || m.Name != name {
				t.Errorf("%s is for %s: %v", f.Qualified(), name, err)
			}
		}
	}
	for name := range published().Absent {
		if m, err := models.Lookup(name); err != nil || m.Name != name {
			t.Errorf("absent is %s: %v", name, err)
		}
	}
}

// TestFileNamesAreUnique: a folder holds any of them side by side.
func TestFileNamesAreUnique(t *testing.T) {
	of := map[string]string{}
	for _, f := range published().Files {
		if other, ok := of[f.FileName()]; ok {
			t.Errorf("%s and %s are both called %s", other, f.Qualified(), f.FileName())
		}
		of[f.FileName()] = f.Qualified()
	}
}

// TestDefaultsMayBeUsed: nobody begins with weights that forbid commercial use without having asked for them.
func TestDefaultsMayBeUsed(t *testing.T) {
	for _, f := range published().Files {
		if f.Default && !f.Free() {
			t.Errorf("%s is a default under %s", f.Qualified(), f.Licence)
		}
	}
	if f, ok := Find("timm/resnet50.fb_swsl_ig1b_ft_in1k"); !ok || f.Free() {
		t.Errorf("%s is free: %v, %v", f.Qualified(), ok, f.Free())
	}
}

func TestOf(t *testing.T) {
	files := Of("deit-t16-distiled-soft")
	var names []string
	for _, f := range files {
		names = append(names, f.Qualified())
	}
	want := []string{"timm/deit_tiny_patch16_224.fb_in1k", "timm/deit_tiny_distilled_patch16_224.fb_in1k"}
	if !slices.Equal(names, want) {
		t.Errorf("deit-t16-distiled-soft has %q, want %q", names, want)
	}
	for _, name := range want {
		if f, ok := Find(name); !ok || f.Qualified() != name {
			t.Errorf("%s is not found", name)
		}
	}
	if _, ok := Find("resnet50.V1"); ok {
		t.Error("a file is found by a name without its library")
	}
	if _, ok := Default("vt-resnet50-1f1r"); ok {
		t.Error("vt-resnet50-1f1r has a file")
	}
}

func TestParseRefuses(t *testing.T) {
	const good = `{"models": ["a"], "default": true, "library": "timm", "name": "a.x",
		"url": "https://host/a-0123abcd.pth", "sha256": "0123abcd", "licence": "mit"}`
	if _, err := parse([]byte(`{"files": [` + good + `], "absent": {"b": "why"}}`)); err != nil {
		t.Fatalf("a good catalogue: %v", err)
	}
	for _, test := range []struct{ name, old, new, want string }{
		{"another scheme", "https:", "file:", "address"},
		{"no host", "https://host", "https://", "address"},
		{"no address", "https://host", "https://%zz", "invalid URL escape"},
		{"no model", `["a"]`, `[]`, "no model"},
		{"another library", `"timm"`, `"keras"`, "library"},
		{"a path for a name", `"licence"`, `"file": "../a.pth", "licence"`, "file name"},
		{"another kind of file", ".pth", ".npz", "file name"},
		{"no digest", `"0123abcd"`, `"0123ABCD"`, "digest"},
		{"a digest that is not in the name", `"sha256": "0123abcd"`, `"sha256": "0123abce"`, "not in the name"},
		{"no default", `"default": true`, `"default": false`, "0 defaults"},
		{"two defaults", good, good + "," + strings.Replace(good, "a.x", "a.y", 1), "2 defaults"},
		{"twice", good, good + "," + good, "twice"},
		{"absent and there", `"b"`, `"a"`, "said to have no file"},
		{"beyond all accuracy", `"licence"`, `"top1": 101, "licence"`, "out of range"},
		{"unknown field", `"licence"`, `"stars": 5, "licence"`, "unknown field"},
		{"more behind it", `"why"}}`, `"why"}} {}`, "data after"},
	} {
		text := strings.Replace(`{"files": [`+good+`], "absent": {"b": "why"}}`, test.old, test.new, 1)
		if _, err := parse([]byte(text)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want an error with %q", test.name, err, test.want)
		}
	}
}
