package market1501

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// synthesize draws a small dataset and returns its folder.
func synthesize(t testing.TB, config SynthConfig) string {
	t.Helper()
	config.Dir = filepath.Join(t.TempDir(), "world")
	if err := Synthesize(context.Background(), config); err != nil {
		t.Fatal(err)
	}
	return config.Dir
}

// contents maps every file below dir to its bytes.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, folder := range splitFolders {
		entries, err := os.ReadDir(filepath.Join(dir, folder))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			content, err := os.ReadFile(filepath.Join(dir, folder, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			files[folder+"/"+e.Name()] = string(content)
		}
	}
	return files
}

func TestSynthesizeIsReproducible(t *testing.T) {
	config := SynthConfig{IDs: 4, ImagesPerID: 6, Distractors: 2, Junk: 1, Seed: 5, Workers: 1}
	first := contents(t, synthesize(t, config))

	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	config.Workers = 5
	second := contents(t, synthesize(t, config))
	if !cmp.Equal(first, second) {
		t.Error("other bytes with other workers")
	}

	config.Seed = 6
	third := contents(t, synthesize(t, config))
	for name, content := range third {
		if first[name] == content {
			t.Errorf("%s does not depend on the seed", name)
		}
	}
}

func TestSynthesizeLayout(t *testing.T) {
	const ids, tested, perID = 9, 4, 7
	reports, last := 0, 0
	dir := synthesize(t, SynthConfig{IDs: ids, TestIDs: tested, ImagesPerID: perID, Distractors: 5, Junk: 3, Seed: 1,
		Progress: func(done, total int) { reports++; last = total }})
	if want := ids*perID + 8; reports != want || last != want {
		t.Errorf("%d progress reports, last of %d images; want %d", reports, last, want)
	}
	d, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	info, err := d.Info(context.Background(), 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	train, query, gallery := info.Splits[0], info.Splits[1], info.Splits[2]
	if train.Images != (ids-tested)*perID || train.IDs != ids-tested || d.Classes != ids-tested {
		t.Errorf("train: %+v", train)
	}
	if query.IDs != tested || gallery.IDs != tested || query.Images+gallery.Images != tested*perID+5 ||
		gallery.Distractors != 5 || gallery.Junk != 3 {
		t.Errorf("query: %+v\ngallery: %+v", query, gallery)
	}

	trained := map[int32]bool{}
	for _, e := range d.Train.Entries {
		trained[e.PID] = true
	}
	type view struct{ pid, cam int32 }
	queried := map[view]bool{}
	for _, e := range d.Query.Entries {
		if trained[e.PID] {
			t.Errorf("identity %d is trained and tested", e.PID)
		}
		if v := (view{e.PID, e.CamID}); queried[v] {
			t.Errorf("two queries of %v", v)
		} else {
			queried[v] = true
		}
		matches := 0
		for _, g := range d.Gallery.Entries {
			if g.PID == e.PID && g.CamID != e.CamID {
				matches++
			}
		}
		if matches == 0 {
			t.Errorf("%s has no match in the gallery", e.Path)
		}
	}
	for _, s := range d.Splits() {
		for _, e := range s.Entries {
			img, err := decodeFile(t.Context(), s.file(e.Path))
			if err != nil {
				t.Fatalf("%s: %v", e.Path, err)
			}
			if img.Height != imageHeight || img.Width != imageWidth {
				t.Fatalf("%s has %d×%d pixels", e.Path, img.Height, img.Width)
			}
		}
	}
}

// The fewest images there can be still make a dataset.
func TestSynthesizeLeast(t *testing.T) {
	dir := synthesize(t, SynthConfig{IDs: 2, ImagesPerID: 4, Distractors: -1, Junk: -1})
	d, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := [3]int{len(d.Train.Entries), len(d.Query.Entries), len(d.Gallery.Entries)}; got != [3]int{4, 2, 2} {
		t.Errorf("%v images", got)
	}
}

// Cameras differ more than people do, so that comparing pixels finds hardly
// anybody: there is something to learn. That it can be learned is tested where
// networks are trained.
func TestSynthesizedPeopleAreNotFoundByPixels(t *testing.T) {
	d, err := Open(t.Context(), synthesize(t, SynthConfig{IDs: 40, TestIDs: 39, ImagesPerID: 8, Seed: 2}))
	if err != nil {
		t.Fatal(err)
	}
	pixels := func(s *Split) *Features {
		images, err := s.Load(context.Background(), LoadConfig{Height: 32, Width: 16})
		if err != nil {
			t.Fatal(err)
		}
		f := NewFeatures(images, 32*16*3)
		for i := range images.Len() {
			for k, v := range images.Pixels(i) {
				f.Row(i)[k] = float32(v)
			}
		}
		return f
	}
	result, err := Evaluate(context.Background(), pixels(&d.Query), pixels(&d.Gallery), EvalConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if result.MAP > 0.2 {
		t.Errorf("mAP of pixels is %.3f: the identities are told apart without learning", result.MAP)
	}
}

func TestSynthesizeRefuses(t *testing.T) {
	good := SynthConfig{Dir: filepath.Join(t.TempDir(), "new"), IDs: 2, ImagesPerID: 4}
	for name, spoil := range map[string]func(*SynthConfig){
		"no folder":        func(c *SynthConfig) { c.Dir = "" },
		"one identity":     func(c *SynthConfig) { c.IDs = 1 },
		"many identities":  func(c *SynthConfig) { c.IDs = 10_000 },
		"nobody to train":  func(c *SynthConfig) { c.TestIDs = 2 },
		"negative tests":   func(c *SynthConfig) { c.TestIDs = -1 },
		"few images":       func(c *SynthConfig) { c.ImagesPerID = 3 },
		"many distractors": func(c *SynthConfig) { c.Distractors = 10_000 },
		"folder is a file": func(c *SynthConfig) { c.Dir = filepath.Join(t.TempDir(), "f"); writeFile(t, c.Dir, nil) },
		"parent is a file": func(c *SynthConfig) {
			f := filepath.Join(t.TempDir(), "f")
			writeFile(t, f, nil)
			c.Dir = f + "/d"
		},
		"folder with files": func(c *SynthConfig) {
			c.Dir = t.TempDir()
			writeFile(t, filepath.Join(c.Dir, "mine"), nil)
		},
	} {
		config := good
		spoil(&config)
		if err := Synthesize(context.Background(), config); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := os.Stat(good.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a refused configuration left something: %v", err)
	}
	occupied := good
	occupied.Dir = t.TempDir()
	writeFile(t, filepath.Join(occupied.Dir, "mine"), []byte("precious"))
	if err := Synthesize(context.Background(), occupied); !errors.Is(err, ErrExists) {
		t.Errorf("occupied folder: %v", err)
	}
}

func TestSynthesizeIntoEmptyFolder(t *testing.T) {
	dir := t.TempDir()
	if err := Synthesize(context.Background(), SynthConfig{Dir: dir, IDs: 2, ImagesPerID: 4}); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir); err != nil {
		t.Error(err)
	}
}

// A run that is stopped leaves nothing behind.
func TestSynthesizeCancelled(t *testing.T) {
	parent := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	err := Synthesize(ctx, SynthConfig{Dir: filepath.Join(parent, "world"), IDs: 4, ImagesPerID: 6, Workers: 1,
		Progress: func(done, _ int) {
			if done == 3 {
				cancel()
			}
		}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	if left, _ := os.ReadDir(parent); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func BenchmarkSynthesize(b *testing.B) {
	dir := b.TempDir()
	config := SynthConfig{IDs: 8, ImagesPerID: 8, Distractors: -1, Junk: -1}
	for i := 0; b.Loop(); i++ {
		config.Dir, config.Seed = filepath.Join(dir, string(rune('a'+i%26)), "world"), uint64(i)
		if err := Synthesize(context.Background(), config); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		os.RemoveAll(config.Dir)
		b.StartTimer()
	}
	b.ReportMetric(64*float64(b.N)/b.Elapsed().Seconds(), "img/s")
}

// TestSynthesizeAtOnce has several draw into one folder: the first to end has it, the others leave nothing.
func TestSynthesizeAtOnce(t *testing.T) {
	parent := t.TempDir()
	config := SynthConfig{Dir: filepath.Join(parent, "data"), IDs: 4, ImagesPerID: 4, Workers: 1}
	const calls = 4
	errs := make(chan error, calls)
	var begun sync.WaitGroup
	begun.Add(calls)
	for range calls {
		c := config
		c.Progress = func(done, _ int) {
			if done == 1 { // nobody is done before everybody has begun
				begun.Done()
				begun.Wait()
			}
		}
		go func() { errs <- Synthesize(t.Context(), c) }()
	}
	drawn := 0
	for range calls {
		switch err := <-errs; {
		case err == nil:
			drawn++
		case !errors.Is(err, ErrExists):
			t.Error(err)
		}
	}
	entries, err := os.ReadDir(parent)
	if err != nil {
		t.Fatal(err)
	}
	if drawn != 1 || len(entries) != 1 {
		t.Errorf("%d have drawn, and there are %v", drawn, entries)
	}
}
