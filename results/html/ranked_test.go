package html

import (
	"strings"
	"testing"

	"github.com/reidbench/reidbench/results"
)

// TestLooks: where the network looks is shown below the images that have it, and said how, and nothing of it elsewhere.
func TestLooks(t *testing.T) {
	record := results.Record{
		Format: results.Format, State: results.StateDone, Model: "lenet", Final: &results.Metrics{MAP: 0.5},
	}
	report, err := results.NewReport([]results.Record{record}, nil)
	if err != nil {
		t.Fatal(err)
	}
	seen := Picture{Name: "query/a.jpg", JPEG: []byte{1}, Looks: []byte{2}}
	for _, test := range []struct {
		ranked Ranked
		shown  int
		said   bool
	}{
		{Ranked{Lists: []RankedList{{Place: "best", Query: Picture{JPEG: []byte{1}}}}}, 0, false},
		{
			Ranked{Lists: []RankedList{{Place: "best", Query: seen, Nearest: []Picture{seen, {}}}}, Looks: "rollout"},
			2, true,
		},
	} {
		test.ranked.Model = "lenet"
		page := written(t, Page{Report: report, Ranked: []Ranked{test.ranked}})
		image := `<img class="looks" src="data:image/jpeg;base64,Ag==" alt="where`
		if n := strings.Count(page, image); n != test.shown {
			t.Errorf("shown %d times, want %d", n, test.shown)
		}
		if said := strings.Contains(page, "where the network looks in it (rollout)."); said != test.said {
			t.Errorf("said: %t, want %t", said, test.said)
		}
	}
}
