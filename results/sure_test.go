package results

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// judgedRecord is a run of which it is known what each of its queries has found.
func judgedRecord(t *testing.T, model, row string, queries Queries) Record {
	t.Helper()
	r := inventedRecord(t, model, row, 0.5)
	r.Queries = queries
	p, err := newPerQuery([]Queries{queries}, byDistance)
	if err != nil {
		t.Fatal(err)
	}
	for f, into := range []*float64{&r.Final.Rank1, &r.Final.Rank5, &r.Final.Rank10, &r.Final.MAP, &r.Final.MINP} {
		*into = mean(p.values[f])
	}
	r.Final.CMC, r.Final.Intervals = nil, queries.Intervals()
	return r
}

// sureReport has a best row, one that is hardly worse, one that is worse for everybody, two seeds of one that is worse
// for most, one from before queries were recorded, one that was judged by others, and one whose file can't be read.
func sureReport(t *testing.T) *Report {
	t.Helper()
	ap := func(base, step float64) func(pid, query int) float64 {
		return func(pid, query int) float64 { return base + step*float64((7*pid+3*query)%11-5) }
	}
	const identities = 24
	second := judgedRecord(t, "vgg16", "VGG16", people(identities, ap(0.3, 0.02)))
	second.Seed = 2
	others := judgedRecord(t, "xception", "Xception", people(identities+1, ap(0.4, 0)))
	unread := inventedRecord(t, "alexnet", "AlexNet", 0.3)
	unread.NoQueries = "queries.csv is of another evaluation than result.json"
	return mustReport(t, []Record{
		judgedRecord(t, "osnet", "OSNet", people(identities, ap(0.7, 0.03))),
		judgedRecord(t, "resnet50", "ResNet50", people(identities, ap(0.69, -0.03))),
		judgedRecord(t, "deit-t16", "DeiT-T16", people(identities, ap(0.6, 0.03))),
		judgedRecord(t, "vgg16", "VGG16", people(identities, ap(0.4, 0.02))), second, others, unread,
		inventedRecord(t, "inceptionv3", "Inceptionv3", 0.9),
	}, nil)
}

func TestSureReportGolden(t *testing.T) {
	report := sureReport(t)
	for name, write := range map[string]func(io.Writer) error{
		"sure.txt": func(w io.Writer) error { return report.Text(w, Layout{Width: 120}) },
		"sure.md":  func(w io.Writer) error { return report.Markdown(w, Layout{}) },
		"sure.csv": report.CSV, "sure.json": report.JSON,
	} {
		compareGolden(t, name, write)
	}
}

// TestTied: what can't be told apart from the best is marked, what is worse for everybody is not.
func TestTied(t *testing.T) {
	got := map[string]string{}
	for l := range sureReport(t).lines {
		if l.State() == StateDone {
			got[l.Model] = "not compared"
			if l.AgainstBest != nil {
				got[l.Model] = fmt.Sprint(l.Tied())
			}
		}
	}
	want := map[string]string{
		"OSNet": "not compared", "ResNet50": "true", "DeiT-T16": "false", "VGG16": "false",
		"Xception": "not compared", "AlexNet": "not compared", "Inceptionv3": "not compared",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tied with the best (-want +got):\n%s", diff)
	}
}

// TestBestOfThoseKnown: a better row of which it is not known what its queries have found is not passed over in
// silence.
func TestBestOfThoseKnown(t *testing.T) {
	unknown := inventedRecord(t, "tnt-s", "TNT-S", 1)
	report := mustReport(t, []Record{
		judgedRecord(t, "osnet", "OSNet", people(8, func(int, int) float64 { return 0.4 })),
		judgedRecord(t, "vgg16", "VGG16", people(8, func(int, int) float64 { return 0.3 })), unknown,
	}, nil)
	best := report.Setup[len(report.Setup)-1]
	const want = "OSNet by mAP, 40.00, of those of which it is known what each query has found. The other one can be"
	if best.Label != "Best" || !strings.HasPrefix(best.Text, want) {
		t.Errorf("%v, not %q", best, want)
	}
}

// TestIntervalsOverSeeds: the interval of a mean over seeds is that of the mean query by query, no wider than of one.
func TestIntervalsOverSeeds(t *testing.T) {
	for l := range sureReport(t).lines {
		if l.Model != "VGG16" {
			continue
		}
		i, m := l.Intervals(), l.Metrics()
		if i == nil || !(i.MAP.Low < m.MAP && m.MAP < i.MAP.High) || math.Abs(m.MAP-0.35) > 0.01 {
			t.Errorf("interval %v around the mean of two seeds, %v", i, m.MAP)
		}
		l.Records[1].Queries = nil
		if l.queries() != nil {
			t.Error("queries of a line of which one run does not tell them")
		}
	}
}

// likeRecord is a run as published, with an mAP.
func likeRecord(t *testing.T, model, row string, meanPrecision float64) Record {
	t.Helper()
	r := inventedRecord(t, model, row, 0.9)
	recipe, err := NewRecipe("paper", map[string]any{"head_epochs": 10, "epochs": 150, "batch": 64, "lr": 5e-4,
		"lr_step": 50, "lr_gamma": 0.1, "weight_decay": 5e-4, "forward_macs": 0})
	if err != nil {
		t.Fatal(err)
	}
	r.Recipe, r.Final.MAP = recipe, meanPrecision
	r.Dataset = Dataset{Name: "Market", Fingerprint: "0f", Train: 12936, Query: 3368, Gallery: 15913, Identities: 751}
	return r
}

// TestAgreementWithPublished: published are 44.52, 48.40, 79.50 and 70.32 for these rows, in which order ours has one
// pair of six the other way round: τ-b 4/6; the squares of the differences of ranks add up to 2: ρ = 1 - 12/60.
func TestAgreementWithPublished(t *testing.T) {
	records := []Record{
		likeRecord(t, "alexnet", "AlexNet", 0.4552), likeRecord(t, "vgg16", "VGG16", 0.4540),
		likeRecord(t, "osnet", "OSNet", 0.7950), likeRecord(t, "resnet50", "ResNet50", 0.7032),
		inventedRecord(t, "xception", "Xception", 0.1), // not like the published
	}
	report := mustReport(t, records, nil)
	want := &Agreement{Rows: 4, KendallTauB: 4. / 6, SpearmanRho: 0.8, MeanAbsoluteDifference: 1}
	if diff := cmp.Diff(want, report.Agreement, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	first := report.Setup[0]
	if first.Label != "Agreement" || !strings.Contains(first.Text, "τ-b 0.667, Spearman's ρ 0.800") {
		t.Errorf("the first line is %v", first)
	}
	if few := mustReport(t, records[2:], nil); few.Agreement != nil {
		t.Errorf("two rows agree: %v", few.Agreement)
	}
	for name, change := range map[string]func(*Record){
		"fewer images":   func(r *Record) { r.Dataset.Gallery-- },
		"synthetic data": func(r *Record) { r.Dataset.Synthetic = true },
		"no batch known": func(r *Record) { delete(r.Recipe.Values, "batch") },
		"bf16":           func(r *Record) { r.Recipe.Values["precision"] = "bf16" },
		"fewer epochs":   func(r *Record) { r.Recipe.Values["epochs"] = 30 },
		"a warm-up":      func(r *Record) { r.Recipe.Values["warmup_epochs"] = 5 },
		"smooth labels":  func(r *Record) { r.Recipe.Values["label_smoothing"] = 0.1 },
		"other batches":  func(r *Record) { r.Recipe.Values["sampler"] = "pk" },
		"a triplet loss": func(r *Record) { r.Recipe.Values["triplet"] = "0.3" },
		"erased parts":   func(r *Record) { r.Recipe.Values["random_erasing"] = 0.5 },
		"padded images":  func(r *Record) { r.Recipe.Values["pad_crop"] = 10 },
		"annealing":      func(r *Record) { r.Recipe.Values["annealing"] = "cosine" },
		"last stride":    func(r *Record) { r.Recipe.Values["last_stride"] = 1 },
		"optimiser":      func(r *Record) { r.Recipe.Values["optimizer"] = "adamw" },
		"larger images":  func(r *Record) { r.Recipe.Values["input_size"] = "384x128" },
		"a neck":         func(r *Record) { r.Recipe.Values["bnneck"] = true },
		"another metric": func(r *Record) { r.Recipe.Values["evaluation"] = map[string]any{"metric": "cosine"} },
	} {
		changed := slices.Clone(records[:3])
		changed[0] = likeRecord(t, "alexnet", "AlexNet", 0.4552)
		change(&changed[0])
		if report := mustReport(t, changed, nil); report.Agreement != nil {
			t.Errorf("%s: taken for the same as published", name)
		}
	}
	for r := range records {
		records[r].Recipe.Name = "mine" // a name says nothing
	}
	if renamed := mustReport(t, records, nil); renamed.Agreement == nil {
		t.Error("the paper's recipe under another name is taken for another")
	}
}
