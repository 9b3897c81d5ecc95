package main

import (
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestDataInfo(t *testing.T) {
	data := synthetic(t)
	text := succeed(t, "data", "info", data)
	for _, want := range []string{
		"Split               Images  Identities  Cameras", "bounding_box_train      12           3  ",
		"query                    6           3  ",
	} {
		if !strings.Contains(text, "\n"+want) {
			t.Errorf("no line begins with %q in\n%s", want, text)
		}
	}

	if err := os.WriteFile(filepath.Join(data, "query", "0099_c1s1_000001_00.jpg"), []byte("no image"),
		0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "query", "holiday.jpg"), []byte("no name"), 0o666); err != nil {
		t.Fatal(err)
	}
	o := reidbench(t, "data", "info", data)
	for _, want := range []string{`broken: "query/0099_c1s1_000001_00.jpg"`, `unparsable name: "query/holiday.jpg"`} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("the output lacks %q:\n%s", want, o.stdout)
		}
	}
	if o.code != exitFound || !strings.Contains(o.stderr, "2 files") {
		t.Errorf("exit code %d, standard error %q", o.code, o.stderr)
	}

	o = reidbench(t, "data", "info", data, "--json")
	var info struct {
		Splits []struct {
			Split      string
			Images     int
			Broken     []struct{ Path string }
			Unparsable []string
		}
	}
	if err := json.Unmarshal([]byte(o.stdout), &info); err != nil || o.code != exitFound {
		t.Fatalf("exit code %d: %v", o.code, err)
	}
	if q := info.Splits[1]; q.Split != "query" || q.Images == 0 || len(q.Broken) != 1 || len(q.Unparsable) != 1 {
		t.Errorf("query: %+v", q)
	}
}

// A list is called by its own name, and what it names and is not there is a finding of info's, an error elsewhere.
func TestListNamesWhatIsNotThere(t *testing.T) {
	t.Chdir(synthetic(t))
	lines := []string{"path,pid,camid,split"}
	for folder, split := range map[string]string{
		"bounding_box_train": "train", "query": "query", "bounding_box_test": "gallery",
	} {
		images, err := filepath.Glob(filepath.Join(folder, "*.jpg"))
		if err != nil {
			t.Fatal(err)
		}
		for _, image := range images {
			pid, rest, _ := strings.Cut(filepath.Base(image), "_c")
			lines = append(lines, image+","+pid+","+rest[:1]+","+split)
		}
	}
	writeList := func() {
		if err := os.WriteFile("images.csv", []byte(strings.Join(lines, "\n")), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	writeList()
	succeed(t, "run", "lenet", "--recipe", "tiny", "--data", "images.csv")
	weights := filepath.Join("runs", "lenet", "weights.safetensors")
	lines = append(lines, "query/away.jpg,1,1,query")
	writeList()
	o := reidbench(t, "data", "info", "images.csv")
	if o.code != exitFound || !strings.Contains(o.stderr, "1 file of images.csv cannot be used") ||
		!strings.HasPrefix(o.stdout, "images.csv\n") || !strings.Contains(o.stdout, `broken: "query/away.jpg": `) {
		t.Errorf("exit code %d, standard error %q, output\n%s", o.code, o.stderr, o.stdout)
	}
	for _, command := range [][]string{
		{"run", "lenet", "--recipe", "tiny", "--data", "images.csv", "--out", "others"},
		{"eval", "lenet", "--weights", weights, "--data", "images.csv"},
		{"rank", "lenet", "--weights", weights, "--data", "images.csv", "--out", "ranked"},
	} {
		o := reidbench(t, command...)
		if o.code != exitFound || !strings.Contains(o.stderr, filepath.Join("query", "away.jpg")) ||
			!strings.Contains(o.stderr, "an image cannot be read") {
			t.Errorf("%s: exit code %d, standard error %q", command[0], o.code, o.stderr)
		}
	}
}

func TestDataInfoFindsTrainingImagesInTheTest(t *testing.T) {
	data := synthetic(t)
	trained, err := filepath.Glob(filepath.Join(data, "bounding_box_train", "*.jpg"))
	if err != nil || len(trained) == 0 {
		t.Fatalf("%d training images: %v", len(trained), err)
	}
	const leaked = "bounding_box_test/0001_c1s1_000001_00.jpg"
	content, err := os.ReadFile(trained[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, leaked), content, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, flags := range [][]string{nil, {"--json"}} {
		o := reidbench(t, append([]string{"data", "info", data}, flags...)...)
		if o.code != exitFound || !strings.Contains(o.stdout, leaked) ||
			!strings.Contains(o.stderr, "of the test images of "+data+" 1 is a training image") {
			t.Errorf("%v: exit code %d, standard error %q, output\n%s", flags, o.code, o.stderr, o.stdout)
		}
	}
}

func TestNamesOfFilesDoNotSteerTheTerminal(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no file has such a name there")
	}
	dir := filepath.Join(t.TempDir(), "a\x1b[31m\u202e\nb")
	drawn := succeed(t, "data", "synth", "--out", dir, "--ids", "4", "--images", "4")
	header := append(binary.LittleEndian.AppendUint64(nil, 2), "{}"...)
	weights := filepath.Join(dir, "w.safetensors")
	if err := os.WriteFile(weights, header, 0o666); err != nil {
		t.Fatal(err)
	}
	for command, text := range map[string]string{
		"data synth":      drawn,
		"data info":       succeed(t, "data", "info", dir),
		"weights inspect": succeed(t, "weights", "inspect", weights),
		"weights convert": succeed(t, "weights", "convert", weights, filepath.Join(dir, "v.safetensors")),
	} {
		if !strings.Contains(text, `a\x1b[31m\u202e\nb`) || strings.ContainsAny(text, "\x1b\u202e") {
			t.Errorf("%s shows %q", command, text)
		}
	}
}

func TestArchiveWithoutTensors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "none.safetensors")
	if err := os.WriteFile(file, append(binary.LittleEndian.AppendUint64(nil, 2), "{}"...), 0o666); err != nil {
		t.Fatal(err)
	}
	want := file + ": safetensors, 0 tensors, 0 elements\n\nTensor  Shape  Elements  Type\n" +
		strings.Repeat("─", 29) + "\n"
	if text := succeed(t, "weights", "inspect", file); text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
}
