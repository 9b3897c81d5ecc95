package tensorboard

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/internal/golden"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/results"
)

// began is the time of all tests' first file.
var began = time.Unix(1_700_000_000, 250_000_000)

func clock() time.Time { return began }

// log is that of a training of epochs of three steps, with an evaluation after every second.
func log(steps int) []store.Entry {
	var all []store.Entry
	for i := range steps {
		step := i + 1
		timing := &store.Timing{ImagesPerSecond: 10, Seconds: float64(step)}
		e := store.Entry{
			Event: store.StepEntry, Epoch: i/3 + 1, Step: step, LR: 1e-3, Loss: 8 / float64(step), Timing: timing,
		}
		all = append(all, e)
		if step%3 == 0 {
			e.Event, e.Correct = store.EpochEntry, 0.25
			all = append(all, e)
		}
		if step%6 == 0 {
			e.Event, e.Loss = store.EvaluationEntry, 0
			e.Metrics = &results.Metrics{Rank1: float64(step) / 64, MAP: float64(step) / 128, MINP: 0.125}
			all = append(all, e)
		}
	}
	return all
}

// wantCurves are the curves of a log.
func wantCurves(logged []store.Entry) map[string][]point {
	all := map[string][]point{}
	add := func(tag string, step int, value float64) {
		all[tag] = append(all[tag], point{step, float32(value)})
	}
	for _, e := range logged {
		switch e.Event {
		case store.StepEntry:
			add("Train/loss", e.Step, e.Loss)
			add("Train/lr", e.Step, e.LR)
			add("Train/img_per_s", e.Step, e.Timing.ImagesPerSecond)
		case store.EpochEntry:
			add("Epoch/loss", e.Step, e.Loss)
			add("Epoch/correct", e.Step, e.Correct)
		case store.EvaluationEntry:
			add("Test/Rank-1", e.Step, e.Metrics.Rank1)
			add("Test/mAP", e.Step, e.Metrics.MAP)
			add("Test/mINP", e.Step, e.Metrics.MINP)
		}
	}
	return all
}

// show opens a board after the first logged entries of a log, and adds those up to the end.
func show(t *testing.T, dir string, all []store.Entry, logged, end int) {
	t.Helper()
	b, err := Open(dir, all[:logged], clock)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all[logged:end] {
		if err := b.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
}

func mustFiles(t *testing.T, dir string) []string {
	t.Helper()
	files, err := eventFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func compare(t *testing.T, dir string, logged []store.Entry) {
	t.Helper()
	inPython, inRust := curves(t, mustFiles(t, dir))
	if diff := cmp.Diff(wantCurves(logged), inPython); diff != "" {
		t.Errorf("as TensorBoard's reader in Python shows it (-log +shown):\n%s", diff)
	}
	if diff := cmp.Diff(wantCurves(logged), inRust); diff != "" {
		t.Errorf("as TensorBoard's reader in Rust shows it (-log +shown):\n%s", diff)
	}
}

// TestBytes holds a small event file against its bytes: TensorBoard's own reader has read them.
func TestBytes(t *testing.T) {
	dir := t.TempDir()
	all := log(1)
	show(t, dir, all, 0, len(all))
	data, err := os.ReadFile(mustFiles(t, dir)[0])
	if err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "events.hex", hex.Dump(data))
}

func TestEvents(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "osnet")
	all := log(2)
	all[1].Event, all[1].Metrics = store.EvaluationEntry, &results.Metrics{
		Rank1: 0.5, MAP: 0.25, MINP: 0.125, Reranked: &results.Metrics{Rank1: 0.75, MAP: 0.5, MINP: 0.25},
	}
	show(t, dir, all, 0, len(all))
	wall := 1_700_000_000.25
	want := []read{
		{wall: wall, version: "brain.Event:2"},
		{wall: wall, start: true},
		{wall: wall, step: 1, scalars: map[string]float32{"Train/loss": 8, "Train/lr": 1e-3, "Train/img_per_s": 10}},
		{wall: wall, step: 2, scalars: map[string]float32{
			"Test/Rank-1": 0.5, "Test/mAP": 0.25, "Test/mINP": 0.125,
			"Test re-ranked/Rank-1": 0.75, "Test re-ranked/mAP": 0.5, "Test re-ranked/mINP": 0.25,
		}},
	}
	got := readFile(t, mustFiles(t, dir)[0])
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(read{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestGoesOn: however a training is interrupted, TensorBoard shows its log, no step twice and none missing. All files
// are of the same second.
func TestGoesOn(t *testing.T) {
	all := log(12)
	afterSteps := func(n int) int { return len(log(n)) }
	for _, test := range []struct {
		name  string
		spans [][2]int // entries of the log: where a process takes it up, and where it ends
	}{
		{"in one piece", [][2]int{{0, len(all)}}},
		{"stopped, with a checkpoint", [][2]int{{0, afterSteps(4)}, {afterSteps(4), len(all)}}},
		{"killed after the checkpoint", [][2]int{{0, afterSteps(11)}, {afterSteps(7), len(all)}}},
		{"killed after an evaluation, from before it", [][2]int{{0, afterSteps(6)}, {afterSteps(6) - 2, len(all)}}},
		{"killed twice, the second time earlier", [][2]int{{0, 13}, {4, 8}, {2, len(all)}}},
		{"killed before the first checkpoint", [][2]int{{0, 3}, {0, len(all)}}},
		{"not shown at the beginning", [][2]int{{9, len(all)}}},
		{"not shown in between", [][2]int{{0, 5}, {12, len(all)}}},
		{"killed, and not shown in between", [][2]int{{0, 11}, {5, 7}, {9, len(all)}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, span := range test.spans {
				show(t, dir, all, span[0], span[1])
			}
			if n := len(mustFiles(t, dir)); n != len(test.spans) {
				t.Errorf("%d files, want one per process: %d", n, len(test.spans))
			}
			compare(t, dir, all)
		})
	}
}

// TestGoesOnAfterATornFile: what was being written when the power failed is written again.
func TestGoesOnAfterATornFile(t *testing.T) {
	all := log(12)
	whole := t.TempDir()
	show(t, whole, all, 0, len(all))
	data, err := os.ReadFile(mustFiles(t, whole)[0])
	if err != nil {
		t.Fatal(err)
	}
	for cut := 0; cut < len(data); cut += 43 {
		dir := t.TempDir()
		torn := filepath.Join(dir, filePrefix+"1700000000.host.1.0")
		if err := os.WriteFile(torn, data[:cut], 0o666); err != nil {
			t.Fatal(err)
		}
		show(t, dir, all, len(all)-2, len(all))
		var sound int64 // bytes before the torn record
		for r := bytes.NewReader(data[:cut]); ; {
			if _, err := readRecord(r); err != nil {
				break
			}
			sound = int64(cut - r.Len())
		}
		if err := os.Truncate(torn, sound); err != nil { // TensorBoard's readers stop there and take the next file
			t.Fatal(err)
		}
		compare(t, dir, all)
	}
}

func TestComplete(t *testing.T) {
	all := log(6)
	for _, test := range []struct {
		name  string
		shown int // entries, before; -1: there is no file
		files int
	}{
		{"nothing is there", -1, 1},
		{"a file without entries", 0, 2},
		{"some are missing", 3, 2},
		{"the last is missing", len(all) - 1, 2},
		{"nothing is missing", len(all), 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			if test.shown >= 0 {
				show(t, dir, all, 0, test.shown)
			}
			for range 2 { // the second time nothing is missing
				if err := Complete(dir, all, clock); err != nil {
					t.Fatal(err)
				}
				if n := len(mustFiles(t, dir)); n != test.files {
					t.Errorf("%d files, want %d", n, test.files)
				}
			}
			compare(t, dir, all)
		})
	}
}

// TestTimesOf: the first process was at work for three seconds, the second for two.
func TestTimesOf(t *testing.T) {
	var logged []store.Entry
	for _, seconds := range []float64{1, 3, 0.5, 2, 2} {
		logged = append(logged, store.Entry{Timing: &store.Timing{Seconds: seconds}})
	}
	var got []float64
	for _, at := range timesOf(logged, began) {
		got = append(got, at.Sub(began).Seconds())
	}
	if diff := cmp.Diff([]float64{-4, -2, -1.5, 0, 0}, got); diff != "" {
		t.Errorf("seconds before the end (-want +got):\n%s", diff)
	}
}

func FuzzExtent(f *testing.F) {
	whole := appendRecord(appendRecord(nil, versionEvent(began)), startEvent(began, 3))
	f.Add(appendRecord(whole, scalarsEvent(began, 4, []scalar{{"Train/loss", 1}})))
	f.Add(whole[:len(whole)-1])
	f.Add(appendRecord(nil, []byte{0x10}))
	f.Fuzz(func(t *testing.T, data []byte) {
		var e extent
		if err := e.read(bytes.NewReader(data)); err != nil && err != errTorn {
			t.Errorf("error %v of bytes that are there", err)
		}
		if e.events < 0 {
			t.Errorf("%+v", e)
		}
	})
}
