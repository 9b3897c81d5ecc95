package results

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWhereARunStands: beside the published where like is compared with like, in a table of its own if on drawn images,
// else alone; and there is a difference only beside the published.
func TestWhereARunStands(t *testing.T) {
	real := likeRecord(t, "vgg16", "VGG16", 0.5)
	real.Dataset.Query--
	records := []Record{
		likeRecord(t, "osnet", "OSNet", 0.8), real, inventedRecord(t, "alexnet", "AlexNet", 0.4),
	}
	where := func(report *Report) (titles []string, differences map[string]string) {
		differences = map[string]string{}
		for _, s := range report.sections() {
			if s.title != report.answer().title {
				titles = append(titles, s.title)
			}
		}
		for l := range report.lines {
			if d := metricOf("map").of(l).difference(); d != nil {
				differences[l.Model] = d.Signed()
			}
		}
		return titles, differences
	}
	report := mustReport(t, records, nil)
	titles, differences := where(report)
	want := []string{
		"Ours beside the published", "What the runs on drawn pedestrians have learned", "What the runs have come to",
	}
	if diff := cmp.Diff(want, titles); diff != "" {
		t.Errorf("sections (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"OSNet": "+0.50"}, differences); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
	const random = "The published figures begin with ImageNet's weights, some of ours with random ones."
	if above := report.sections()[1].above; above != random {
		t.Errorf("above runs that began with random weights stands %q", above)
	}
	report.CompareAll()
	titles, differences = where(report)
	if diff := cmp.Diff(want[:1], titles); diff != "" {
		t.Errorf("compared, sections (-want +got):\n%s", diff)
	}
	all := map[string]string{"OSNet": "+0.50", "VGG16": "+1.60", "AlexNet": "-24.52"}
	if diff := cmp.Diff(all, differences); diff != "" {
		t.Errorf("compared, differences (-want +got):\n%s", diff)
	}
	const caveat = "The published figures are from Market-1501 under the paper's recipe. Not all of ours are " +
		"(another recipe, drawn images, not Market-1501's 12,936, 3,368 and 15,913 images). Their differences " +
		"compare unlike things."
	if diff := cmp.Diff(caveat, report.Caveat); diff != "" {
		t.Errorf("caveat (-want +got):\n%s", diff)
	}
	report = mustReport(t, records, nil)
	report.OursAlone()
	titles, _ = where(report)
	if diff := cmp.Diff(want[2:], titles); diff != "" {
		t.Errorf("ours alone, sections (-want +got):\n%s", diff)
	}
}
