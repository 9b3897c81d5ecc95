package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/train"
)

// What docs/CONTRIBUTING.md asks of a hand-written file. A tab counts as four columns.
const (
	mostLines   = 400
	mostColumns = 120
)

var generated = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)

// goFiles are the repository's Go files, by their path in it.
func goFiles(t *testing.T) (root string, files []string) {
	t.Helper()
	root = filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		switch name := entry.Name(); {
		case err != nil:
			return err
		case entry.IsDir() && file != root && (strings.HasPrefix(name, ".") || name == "testdata"):
			return fs.SkipDir
		case !entry.IsDir() && strings.HasSuffix(name, ".go"):
			inside, err := filepath.Rel(root, file)
			if err != nil {
				return err
			}
			files = append(files, filepath.ToSlash(inside))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 100 {
		t.Fatalf("%d Go files: this is not the repository", len(files))
	}
	return root, files
}

// TestFilesAreShort: hand-written files have lines and lengths that a screen shows.
func TestFilesAreShort(t *testing.T) {
	root, files := goFiles(t)
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		if generated.Match(text) {
			continue
		}
		lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
		if len(lines) > mostLines {
			t.Errorf("%s has %d lines, at most %d are asked for", file, len(lines), mostLines)
		}
		for i, line := range lines {
			columns := utf8.RuneCountInString(strings.ReplaceAll(line, "\t", "    "))
			if columns > mostColumns {
				t.Errorf("%s:%d has %d columns, at most %d are asked for", file, i+1, columns, mostColumns)
			}
		}
	}
}

// tableOf returns the names in the first column of a table in docs/architecture.md, the one below a heading.
func tableOf(t *testing.T, root, heading string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, below, found := strings.Cut(string(text), heading+"\n")
	if !found {
		t.Fatalf("docs/architecture.md has no heading %q", heading)
	}
	section, _, _ := strings.Cut(below, "\n#")
	var names []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(section, -1) {
		names = append(names, row[1])
	}
	return names
}

// TestArchitecture holds the table of packages in docs/architecture.md to the tree: it has every package once, and each
// imports only packages further down.
func TestArchitecture(t *testing.T) {
	root, files := goFiles(t)
	imports := map[string][]string{} // of each package, by its folder, those of this module
	for _, file := range files {
		folder := path.Dir(file)
		if !strings.HasSuffix(file, "_test.go") && !strings.Contains("/"+folder, "/_") {
			imports[folder] = append(imports[folder], importsInside(t, filepath.Join(root, file))...)
		}
	}
	listed := tableOf(t, root, "## Packages")
	for folder, imported := range imports {
		for _, name := range imported {
			if slices.Index(listed, name) <= slices.Index(listed, folder) {
				t.Errorf("%s imports %s, which the table does not have further down", folder, name)
			}
		}
	}
	slices.Sort(listed)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(imports)), listed); diff != "" {
		t.Errorf("packages in the table of docs/architecture.md (-tree +table):\n%s", diff)
	}
}

// importsInside returns the folders of the packages of this module that a file imports.
func importsInside(t *testing.T, file string) (folders []string) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range parsed.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if folder, ok := strings.CutPrefix(name, "github.com/reidbench/reidbench/"); ok {
			folders = append(folders, folder)
		}
	}
	return folders
}

// opensFiles are the calls that open whatever bears a name, and wait where it is a pipe.
var opensFiles = regexp.MustCompile(`\bos\.(Open|OpenFile|ReadFile|WriteFile|Create)\(`)

// TestOnlyRegularFilesAreOpened: files are read by way of results/regular and written by way of results/atomicfile, but
// for these.
func TestOnlyRegularFilesAreOpened(t *testing.T) {
	except := []string{
		"results/regular/regular.go",
		"results/atomicfile/atomicfile.go", // a name that nobody has, and a folder
		"results/atomicfile/partial.go",    // appends, after a check
		"bench/store/log.go",               // appends, after a check
		"bench/tensorboard/folder.go",      // a name that nobody has
		"bench/machine/machine.go",         // of /proc
		"market1501/listing.go",            // folders, after a check
		"market1501/synth.go",              // in a folder of its own
		"bench/internal/golden/golden.go",  // of tests
	}
	root, files := goFiles(t)
	var found []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || strings.Contains("/"+file, "/_") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		if opensFiles.Match(text) {
			found = append(found, file)
		}
	}
	slices.Sort(except)
	slices.Sort(found)
	if diff := cmp.Diff(except, found); diff != "" {
		t.Errorf("files that open files (-expected +found):\n%s", diff)
	}
}

// TestFusionsAreExplained holds the table of fusions in docs/architecture.md to the compiler's.
func TestFusionsAreExplained(t *testing.T) {
	root, _ := goFiles(t)
	if diff := cmp.Diff(train.Fusions(), tableOf(t, root, "### Fusions")); diff != "" {
		t.Errorf("fusions in docs/architecture.md (-compiler +table):\n%s", diff)
	}
}

// named are paths in the repository as the documentation names them.
var named = regexp.MustCompile("`((?:bench|cmd|docs|flops|kernels|market1501|models|plots|results)/[a-z0-9_./]+)`")

// TestScriptsAreShown: a document shows the script beside it as it is.
func TestScriptsAreShown(t *testing.T) {
	root, _ := goFiles(t)
	script, err := os.ReadFile(filepath.Join(root, "docs", "referee_torchreid.py"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "docs", "referee.md"))
	if err != nil {
		t.Fatal(err)
	}
	code := string(script[strings.Index(string(script), "import "):])
	if !strings.Contains(string(text), "```python\n"+code+"```") {
		t.Error("docs/referee.md shows another docs/referee_torchreid.py")
	}
}

// TestLinks: what the documentation links to, and the files and folders that it names, are there.
func TestLinks(t *testing.T) {
	root, _ := goFiles(t)
	var files []string
	for _, folder := range []string{"", "docs", "docs/scratch"} {
		inFolder, err := filepath.Glob(filepath.Join(root, folder, "*.md"))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, inFolder...)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range regexp.MustCompile(`\]\(([^)#]+)`).FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(link[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(file), link[1])); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
		for _, name := range named.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(root, name[1])); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
}
