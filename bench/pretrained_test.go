package bench

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/bench/weights"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/models/graph"
	"github.com/reidbench/reidbench/results"
)

// TestPublishedFilesFit holds the names and shapes of torchvision's and torchreid's files against
// the rows: everything finds its place but the classifier of a thousand classes.
func TestPublishedFilesFit(t *testing.T) {
	listings, err := filepath.Glob("testdata/names/*/*.txt")
	if err != nil || len(listings) != 16 {
		t.Fatalf("%d listings, %v", len(listings), err)
	}
	for _, listing := range listings {
		name := strings.TrimSuffix(filepath.Base(listing), ".txt")
		t.Run(name, func(t *testing.T) {
			m, err := models.Lookup(name)
			if err != nil {
				t.Fatal(err)
			}
			g, err := m.Graph(751)
			if err != nil {
				t.Fatal(err)
			}
			path := writeListed(t, listing)
			from, err := WeightsSource{}.open(path, m, g)
			if err != nil {
				t.Fatal(err)
			}
			defer from.archive.Close()
			fit, err := weights.Match(from.archive, from.network)
			if err != nil {
				t.Fatal(err)
			}
			if want := len(from.network.Names) - len(from.network.Classifier); len(fit.Names) != want {
				t.Errorf("%d tensors are loaded, not %d", len(fit.Names), want)
			}
			notes := strings.Split(strings.TrimPrefix(fit.Note, path+": "), "; ")
			want := map[string]int{"classifier left out": 1}
			switch name {
			case "inception_v3":
				want["auxiliary classifier left out"] = 1
			case "vit_b_16":
				want["pos_embed resized from 14×14 to 16×8 tokens, bicubic without antialiasing"] = 1
			}
			got := map[string]int{}
			for _, note := range notes {
				note, _, _ = strings.Cut(note, ":")
				got[note]++
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("notes %q (-want +got):\n%s", notes, diff)
			}
		})
	}
}

// writeListed writes a safetensors file of the listed tensors, all zero; on most file systems it
// takes no room.
func writeListed(t *testing.T, listing string) string {
	t.Helper()
	type entry struct {
		DType   string `json:"dtype"`
		Shape   []int  `json:"shape"`
		Offsets [2]int `json:"data_offsets"`
	}
	data, err := os.ReadFile(listing)
	if err != nil {
		t.Fatal(err)
	}
	header, end := map[string]entry{}, 0
	for line := range strings.Lines(string(data)) {
		name, shape, _ := strings.Cut(strings.TrimSpace(line), " ")
		e, size := entry{DType: "F32"}, 4
		for digits := range strings.SplitSeq(shape, "x") {
			d, err := strconv.Atoi(digits)
			if err != nil {
				t.Fatalf("%s: %q: %v", listing, line, err)
			}
			e.Shape = append(e.Shape, d)
			size *= d
		}
		e.Offsets = [2]int{end, end + size}
		end += size
		header[name] = e
	}
	text, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "listed.safetensors")
	file := append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...)
	if err := os.WriteFile(path, file, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, int64(len(file)+end)); err != nil {
		t.Fatal(err)
	}
	return path
}

// foreign is tiny with another implementation's names.
func foreign(name string) models.Model {
	m := tinymodel.New(name)
	m.Sources = []models.Source{{Name: "elsewhere", Modules: models.Modules{
		"stem.0": "a.conv", "stem.1": "a.bn", "b": "b", "head": "classifier",
	}}}
	return m
}

// writeForeign writes weights of the tiny network with a number of classes, under the other names.
func writeForeign(t *testing.T, path string, classes int) (*graph.Graph, *train.Weights) {
	t.Helper()
	g, err := foreign("one").Graph(classes)
	if err != nil {
		t.Fatal(err)
	}
	w := train.NewWeights(g, 11)
	theirs := strings.NewReplacer("a.conv", "stem.0", "a.bn", "stem.1", "classifier", "head")
	var tensors []weights.Tensor
	for _, name := range w.Names() {
		tensors = append(tensors, weights.Tensor{
			Name: theirs.Replace(name), Shape: w.Shape(name), Fetch: func() []float32 { return w.Get(name) },
		})
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := weights.WriteSafetensors(f, tensors, nil); err != nil {
		t.Fatal(err)
	}
	return g, w
}

// TestEvaluateForeignNames: features are those of the same weights set directly.
func TestEvaluateForeignNames(t *testing.T) {
	path := filepath.Join(t.TempDir(), "one.safetensors")
	g, w := writeForeign(t, path, 1000)
	features := filepath.Join(t.TempDir(), "features.csv")
	c := testConfig(t)
	if _, err := Evaluate(t.Context(),
		EvaluateConfig{Model: foreign("one"), Weights: path, Data: c.Data, Features: features}); err != nil {
		t.Fatal(err)
	}
	got := readFeatures(t, features)

	data, err := openDataset(
		t.Context(), market1501.Opener{}, c.Data, "", recipe.SyntheticSize{}, 0, func(progress.Event) {},
	)
	if err != nil {
		t.Fatal(err)
	}
	pool := parallel.NewPool(1)
	defer pool.Close()
	program, err := train.Compile(g, w, pool, train.Options{Batch: 8, Stage: train.Inference})
	if err != nil {
		t.Fatal(err)
	}
	judged, err := (&judge{data: data, graph: g, program: program, threads: 1}).evaluate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	direct := filepath.Join(t.TempDir(), "direct.csv")
	if err := market1501.WriteFeatures(direct, judged.query, judged.gallery); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(readFeatures(t, direct), got); diff != "" {
		t.Errorf("features (-set directly +from the file):\n%s", diff)
	}
}

func readFeatures(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestRunBeginsWithPublishedWeights: at the least learning rate only running statistics change, so
// the parameters at the end are those of the file.
func TestRunBeginsWithPublishedWeights(t *testing.T) {
	c := testConfig(t, foreign("one"))
	folder := t.TempDir()
	c.Weights, c.Recipe.LR, c.Recipe.Decay = WeightsFiles{folder}, math.SmallestNonzeroFloat64, 0
	_, w := writeForeign(t, filepath.Join(folder, "One-0123abcd.safetensors"), 1000)
	var notes []string
	c.Progress = watcher(func(e progress.Event) {
		if e.Kind == progress.Noted && e.Job != "" {
			notes = append(notes, e.Text)
		}
	})
	summary := mustRun(t, c)
	if len(notes) != 1 || !strings.Contains(notes[0], "classifier left out") {
		t.Errorf("notes %q, want one about the classifier", notes)
	}
	pretrained := summary.Jobs[0].Record.Pretrained
	if pretrained == nil || pretrained.File != "One-0123abcd.safetensors" || len(pretrained.SHA256) != 64 {
		t.Errorf("the record names %+v", pretrained)
	}
	archive, err := weights.Open(filepath.Join(c.Out, "one", store.WeightsFile))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	for _, name := range []string{"a.conv.weight", "b.conv.weight", "b.bn.bias"} {
		got, err := archive.Float32(name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(w.Get(name), got); diff != "" {
			t.Errorf("%s (-file +trained):\n%s", name, diff)
		}
	}
	if record, err := results.Read(filepath.Join(c.Out, "one")); err != nil || *record.Pretrained != *pretrained {
		t.Errorf("record %+v, %v", record.Pretrained, err)
	}

	// The same folder from scratch, or from another file, would be another run.
	c.Weights = nil
	if _, err := Run(t.Context(), c); !errors.Is(err, store.ErrConflict) ||
		!strings.Contains(err.Error(), "pretrained") {
		t.Errorf("from scratch: %v", err)
	}
}

// What is wrong with weights to begin with is said before anything is done, the synthetic dataset's drawing included.
func TestRunRefusesWeightsBeforeAnything(t *testing.T) {
	for name, test := range map[string]struct {
		files []string
		want  string
	}{
		"none": {nil, "for one, two: a file's name begins with its model's, for example one.safetensors"},
		"one":  {[]string{"one.safetensors"}, "for two:"},
		"several": {
			[]string{"one.safetensors", "ONE-01234567.safetensors", "two.safetensors"},
			"several files of weights for one: ",
		},
		"another": {[]string{"one.safetensors", "two.pth"}, "surplus (7): head.bias, head.weight"},
		"no name": {[]string{"one.safetensors", "two.txt", "twofold.pth"}, "for two:"},
	} {
		t.Run(name, func(t *testing.T) {
			c := testConfig(t, foreign("one"), tinymodel.Exploding("two"))
			folder := t.TempDir()
			c.Weights = WeightsFiles{folder}
			c.Data, c.Recipe.Synthetic = "", recipe.SyntheticSize{IDs: 6, TestIDs: 2, Images: 4}
			for _, file := range test.files {
				writeForeign(t, filepath.Join(folder, file), 10)
			}
			_, err := Run(t.Context(), c)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
			notMade(t, c.Out)
		})
	}
	for _, entry := range []string{"absent.pth", "one=absent.pth", "nosuch=absent.pth"} {
		c := testConfig(t, foreign("one"))
		c.Data, c.Recipe.Synthetic = "", recipe.SyntheticSize{IDs: 6, TestIDs: 2, Images: 4}
		c.Weights = WeightsFiles{entry}
		_, err := Run(t.Context(), c)
		if unknown := strings.HasPrefix(entry, "nosuch"); errors.Is(err, models.ErrUnknown) != unknown ||
			errors.Is(err, os.ErrNotExist) == unknown {
			t.Errorf("%s: error %v", entry, err)
		}
		notMade(t, c.Out)
	}
}

func notMade(t *testing.T, dir string) {
	t.Helper()
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s was made: %v", dir, err)
	}
}
