package bench

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/results"
)

// What has been trained stays when its last evaluation fails: the weights, and where the same command goes on.
func TestWeightsStayWhateverBecomesOfTheEvaluation(t *testing.T) {
	undisturbed := testConfig(t, tinymodel.New("one"))
	undisturbed.Recipe.EvaluateEvery = 0 // only the last
	ownData(t, &undisturbed)
	mustRun(t, undisturbed)
	c := undisturbed
	c.Out = filepath.Join(t.TempDir(), "runs")
	gallery := filepath.Join(c.Data, "bounding_box_test")
	last := (c.Recipe.HeadEpochs + c.Recipe.Epochs) * 3
	c.Progress = watcher(func(e progress.Event) {
		if e.Kind == progress.Stepped && e.Step == last {
			if err := os.Rename(gallery, gallery+".away"); err != nil {
				t.Error(err)
			}
		}
	})
	if _, err := Run(t.Context(), c); !errors.Is(err, ErrFailed) {
		t.Fatalf("error %v, want ErrFailed", err)
	}
	weights := func(out string) string {
		content, err := os.ReadFile(filepath.Join(out, "one", store.WeightsFile))
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	if weights(c.Out) != weights(undisturbed.Out) {
		t.Error("the weights that stay are not those that were trained")
	}
	if record := readRecord(t, c, "one"); record.State != results.StateFailed {
		t.Errorf("the record says %s", record.State)
	}
	if err := os.Rename(gallery+".away", gallery); err != nil {
		t.Fatal(err)
	}
	steps := 0
	c.Progress = watcher(func(e progress.Event) {
		if e.Kind == progress.Stepped {
			steps++
		}
	})
	mustRun(t, c)
	if steps != 0 {
		t.Errorf("%d steps were trained again", steps)
	}
	sameTrace(t, "went on", filepath.Join(undisturbed.Out, "one"), filepath.Join(c.Out, "one"))
}

// Images of one camera can be trained on and not judged: that is said before the first step, and in a dry run.
func TestNoQueryWithAMatchIsAnErrorBeforeTraining(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	ownData(t, &c)
	for _, split := range []string{"query", "bounding_box_test"} {
		images, err := filepath.Glob(filepath.Join(c.Data, split, "*.jpg"))
		if err != nil {
			t.Fatal(err)
		}
		for i, image := range images {
			pid, _, _ := strings.Cut(filepath.Base(image), "_")
			one := filepath.Join(c.Data, split, fmt.Sprintf("%s_c1s1_%06d_00.jpg", pid, i))
			if err := os.Rename(image, one); err != nil {
				t.Fatal(err)
			}
		}
	}
	c.Progress = watcher(func(e progress.Event) {
		if e.Kind == progress.Stepped {
			t.Error("a step was trained")
		}
	})
	_, run := Run(t.Context(), c)
	_, dry := EstimateRun(t.Context(), c)
	for name, err := range map[string]error{"run": run, "dry run": dry} {
		if !errors.Is(err, market1501.ErrNoMatch) {
			t.Errorf("%s: error %v, want ErrNoMatch", name, err)
		}
	}
	if _, err := os.Stat(filepath.Join(c.Out, "one")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a job's folder was made: %v", err)
	}
}

// A piece of the gallery in which nothing can be decoded is left out like any broken image.
func TestAPieceOfBrokenImagesIsNoBrokenSplit(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	mustRun(t, c)
	ownData(t, &c)
	gallery := filepath.Join(c.Data, "bounding_box_test")
	const broken = chunk + 100 // behind all others
	for i := range broken {
		name := filepath.Join(gallery, fmt.Sprintf("9999_c1s1_%06d_00.jpg", i))
		if err := os.WriteFile(name, []byte("no image"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	e, err := Evaluate(t.Context(), EvaluateConfig{
		Model: c.Models[0], Weights: filepath.Join(c.Out, "one", store.WeightsFile), Data: c.Data, Threads: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen := e.Images.Splits[1]; seen.Folder != "bounding_box_test" || seen.LeftOut != broken || seen.Used == 0 {
		t.Errorf("the gallery: %+v", seen)
	}
}

// To be judged takes no training images.
func TestEvaluateWithoutTrainingImages(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	mustRun(t, c)
	evaluate := EvaluateConfig{
		Model: c.Models[0], Weights: filepath.Join(c.Out, "one", store.WeightsFile), Data: c.Data, Threads: 1,
	}
	want, err := Evaluate(t.Context(), evaluate)
	if err != nil {
		t.Fatal(err)
	}
	ownData(t, &c)
	if err := os.RemoveAll(filepath.Join(c.Data, "bounding_box_train")); err != nil {
		t.Fatal(err)
	}
	evaluate.Data = c.Data
	got, err := Evaluate(t.Context(), evaluate)
	if err != nil {
		t.Fatal(err)
	}
	if got.Metrics.MAP != want.Metrics.MAP || got.Images.Judged != want.Images.Judged {
		t.Errorf("mAP %v, with training images %v", got.Metrics.MAP, want.Metrics.MAP)
	}
	lists, err := Rank(t.Context(), RankConfig{EvaluateConfig: evaluate, Choice: ChooseFirst, Queries: 1, Top: 3})
	if err != nil || len(lists.Lists) != 1 {
		t.Errorf("%d ranked lists: %v", len(lists.Lists), err)
	}
}

// What was left out because of its name stands in the record, and beneath the report's table.
func TestRecordTellsOfNamesAndOtherFiles(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	ownData(t, &c)
	for _, file := range []string{"holiday.jpg", "a.bmp", "b.bmp", "Thumbs.db"} {
		if err := os.WriteFile(filepath.Join(c.Data, "query", file), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(c.Data, "query", "0009_c1s1_000001_00.jpg"), 0o777); err != nil {
		t.Fatal(err)
	}
	mustRun(t, c)
	record := readRecord(t, c, "one")
	const unread = "1 folder (query/0009_c1s1_000001_00.jpg), 2 .bmp (query/a.bmp)"
	if query := record.Images.Splits[1]; query.Unparsable != 1 || query.Unread != unread {
		t.Errorf("%+v", query)
	}
	report, err := results.NewReport([]results.Record{record}, nil)
	if err != nil {
		t.Fatal(err)
	}
	notes := strings.Join(report.Tables[len(report.Tables)-1].Lines[0].Notes, "\n")
	for _, want := range []string{unread, "1 image of query, whose name does not parse"} {
		if !strings.Contains(notes, want) {
			t.Errorf("no %q in %q", want, notes)
		}
	}
}
