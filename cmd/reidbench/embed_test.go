package main

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEmbed holds embeddings of files, of a folder and of a list against those that eval writes, and looks for what is
// nearest.
func TestEmbed(t *testing.T) {
	data, dir := synthetic(t), t.TempDir()
	runs, features := filepath.Join(dir, "runs"), filepath.Join(dir, "features.csv")
	succeed(t, "run", "lenet", "--data", data, "--recipe", "tiny", "--out", runs)
	weights := filepath.Join(runs, "lenet", "weights.safetensors")
	succeed(t, "eval", "lenet", "--weights", weights, "--data", data, "--features", features)
	want := map[string][]string{} // of each image, by its path
	for _, row := range readCSV(t, features)[1:] {
		want[filepath.ToSlash(filepath.Join(data, row[0]))] = row[4:]
	}

	gallery := filepath.Join(data, "bounding_box_test")
	file := filepath.Join(dir, "gallery.csv")
	succeed(t, "embed", "lenet", "--weights", weights, gallery, "--out", file)
	rows := readCSV(t, file)
	if len(rows) < 3 || strings.Join(rows[0][:2], ",") != "file,f0" {
		t.Fatalf("%d rows, the first %v", len(rows), rows[0])
	}
	var names []string
	for _, row := range rows[1:] {
		names = append(names, row[0])
		if diff := cmp.Diff(want[filepath.ToSlash(row[0])], row[1:]); diff != "" {
			t.Errorf("%s (-eval +embed):\n%s", row[0], diff)
		}
	}

	// A list on standard input, in another order, gives the same rows in that order.
	command := program(t, "embed", "lenet", "--weights", weights, names[1], "-")
	command.Stdin = strings.NewReader(names[2] + "\r\n\n" + names[0])
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	listed, err := csv.NewReader(strings.NewReader(string(out))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]string{rows[0], rows[2], rows[3], rows[1]}, listed); diff != "" {
		t.Errorf("a list (-folder +list):\n%s", diff)
	}

	// The nearest to an image of the gallery is that image.
	var found []struct {
		File    string
		Nearest []struct {
			File     string
			Distance float64
		}
	}
	text := succeed(t, "embed", "lenet", "--weights", weights, names[1], "--against", gallery, "--top", "2", "--json")
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		t.Fatal(err)
	}
	if len(found) != 1 || len(found[0].Nearest) != 2 || found[0].Nearest[0].File != filepath.ToSlash(names[1]) ||
		found[0].Nearest[0].Distance != 0 || found[0].Nearest[1].Distance <= 0 {
		t.Errorf("found %+v", found)
	}
	text = succeed(t, "embed", "lenet", "--weights", weights, names[1], "--against", gallery, "--metric", "cosine")
	if !strings.Contains(text, "Nearest") || strings.Count(text, gallery) != 6 {
		t.Errorf("the table is\n%s", text)
	}

	// What is broken is named; all else is there.
	broken, array := filepath.Join(dir, "broken.jpg"), filepath.Join(dir, "two.npy")
	if err := os.WriteFile(broken, []byte("no image"), 0o666); err != nil {
		t.Fatal(err)
	}
	o := reidbench(t, "embed", "lenet", "--weights", weights, broken, names[0], "--out", array)
	if strings.Contains(o.stderr, "classifier") {
		t.Errorf("a note about what nobody asks for: %s", o.stderr)
	}
	if o.code != exitFound || !strings.Contains(o.stderr, broken) || o.stdout != "" {
		t.Errorf("a broken image: %+v", o)
	}
	if info, err := os.Stat(array); err != nil || info.Size() != 128+2*4*84 {
		t.Errorf("the array: %v, %v", info, err)
	}
}

func readCSV(t *testing.T, file string) [][]string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestEmbedMisused(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x.pth"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args   string
		code   int
		stderr string
	}{
		{"lenet --weights x", exitMisuse, "requires at least 2 arg"},
		{"lenet a.jpg", exitMisuse, `"weights" not set`},
		{"lenett --weights x a.jpg", exitMisuse, `did you mean "lenet"`},
		{"lenet --weights x a.jpg --out a.txt", exitMisuse, "has to end in .csv or .npy"},
		{"lenet --weights x a.jpg --json", exitMisuse, "--json is for what --against finds"},
		{"lenet --weights x a.jpg --against b --top 0", exitMisuse, `"0" for "--top"`},
		{"lenet --weights " + dir + "/x.pth " + dir + "/a.jpg", exitFound, "a.jpg"},
		{"lenet --weights " + dir + "/x.pth " + dir, exitFound, "no JPEG and no PNG"},
	} {
		o := reidbench(t, append([]string{"embed"}, strings.Fields(test.args)...)...)
		if o.code != test.code || !strings.Contains(o.stderr, test.stderr) || o.stdout != "" {
			t.Errorf("embed %s: %+v, want exit code %d and %q", test.args, o, test.code, test.stderr)
		}
	}
}
