package bench

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/market1501"
)

var departed = recipe.Protocol{
	Metric: market1501.Cosine, Flip: true, Rerank: market1501.Rerank{K1: 5, K2: 2, Lambda: 0.3},
}

// A run that departs from the published protocol records that, judges as Evaluate does, and is not
// continued under another protocol.
func TestRunUnderAnotherProtocol(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	published := *mustRun(t, c).Jobs[0].Record.Final
	c.Out = t.TempDir()
	c.Recipe.Evaluation = departed
	run := mustRun(t, c).Jobs[0].Record
	if run.Final.Reranked == nil || run.Final.Reranked.CMC == nil {
		t.Fatalf("metrics %+v, want re-ranked ones as well", *run.Final)
	}
	got, err := Evaluate(t.Context(), EvaluateConfig{
		Model: tinymodel.New("one"), Weights: filepath.Join(c.Out, "one", store.WeightsFile), Data: c.Data,
		Protocol: departed, Batch: c.Recipe.Batch,
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*run.Final, got.Metrics); diff != "" {
		t.Errorf("metrics (-run +evaluate):\n%s", diff)
	}
	plain, err := Evaluate(t.Context(), EvaluateConfig{
		Model: tinymodel.New("one"), Weights: filepath.Join(c.Out, "one", store.WeightsFile), Data: c.Data,
		Batch: c.Recipe.Batch,
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(published, plain.Metrics); diff != "" {
		t.Errorf("the protocol has changed the training (-published +departed):\n%s", diff)
	}
	c.Recipe.Evaluation.Flip = false
	if _, err := Run(t.Context(), c); !errors.Is(err, store.ErrConflict) {
		t.Errorf("continued without flip: %v", err)
	}
}

// With flip, an image and its mirror image have the same embedding: the mean of the two.
func TestFlipIsTheMeanOfBothEmbeddings(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	data := openTestData(t, c)
	g, err := tinymodel.New("one").Graph(data.Classes)
	if err != nil {
		t.Fatal(err)
	}
	pool := parallel.NewPool(1)
	defer pool.Close()
	program, err := train.Compile(g, train.NewWeights(g, 1), pool, train.Options{Batch: 3})
	if err != nil {
		t.Fatal(err)
	}
	size := g.Input.Shape
	images, err := data.Query.Load(t.Context(), market1501.LoadConfig{Height: size.H, Width: size.W})
	if err != nil {
		t.Fatal(err)
	}
	entries := make([]market1501.Entry, images.Len())
	var turned []byte
	for i := range images.Len() {
		pixels := images.Pixels(i)
		for row := 0; row < len(pixels); row += 3 * size.W {
			for x := size.W - 1; x >= 0; x-- {
				turned = append(turned, pixels[row+3*x:row+3*x+3]...)
			}
		}
	}
	mirrorImages, err := market1501.NewImages(size.H, size.W, entries, turned)
	if err != nil {
		t.Fatal(err)
	}
	embed := func(images *market1501.Images, flip bool) []float32 {
		e := &embedder{graph: g, program: program, flip: flip, threads: 1, progress: func(int) {}}
		f, err := e.embedImages(t.Context(), images)
		if err != nil {
			t.Fatal(err)
		}
		return f.Values
	}
	straight, mirrored := embed(images, false), embed(mirrorImages, false)
	want := make([]float32, len(straight))
	for i := range want {
		want[i] = (straight[i] + mirrored[i]) / 2
	}
	if cmp.Equal(straight, mirrored) {
		t.Fatal("image and mirror image have the same embedding: the test shows nothing")
	}
	for name, images := range map[string]*market1501.Images{"images": images, "mirror images": mirrorImages} {
		if diff := cmp.Diff(want, embed(images, true)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
