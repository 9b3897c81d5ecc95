package flops

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/models"
)

var update = flag.Bool("update", false, "rewrite figures.json")

// TestCommittedFigures holds every registered model against figures.json.
func TestCommittedFigures(t *testing.T) {
	if *update {
		if err := Update("figures.json", models.All()); err != nil {
			t.Fatal(err)
		}
		return
	}
	diff, err := Check(models.All())
	if err != nil {
		t.Fatal(err)
	}
	if diff != "" {
		t.Errorf("figures differ (-committed +counted); if that is meant, rewrite them with -update:\n%s", diff)
	}
}

func TestCheckSeesDrift(t *testing.T) {
	all := models.All()
	changed := append([]models.Model{}, all...)
	changed[0].Build = all[1].Build
	tests := map[string]struct {
		list []models.Model
		want string // the model that the diff must name
	}{
		"another network": {changed, all[0].Name},
		"a missing model": {all[1:], all[0].Name},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			diff, err := Check(test.list)
			if err != nil || !strings.Contains(diff, test.want) {
				t.Errorf("diff %q, error %v; want drift in %s", diff, err, test.want)
			}
		})
	}
}

func TestUpdateWritesWhatCheckReads(t *testing.T) {
	path := filepath.Join(t.TempDir(), "figures.json")
	if err := os.WriteFile(path, []byte("an older file"), 0o600); err != nil {
		t.Fatal(err)
	}
	list := models.Rows()[:2]
	if err := Update(path, list); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := parse(data)
	if err != nil {
		t.Fatal(err)
	}
	want, err := measureAll(list)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read back (-written +read):\n%s", diff)
	}
	marshalled, err := marshal(list)
	if err != nil || !bytes.Equal(marshalled, data) {
		t.Errorf("the file is not what marshal renders (%v)", err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("%d files are left in the folder (%v)", len(entries), err)
	}
}

func TestUpdateReportsThePath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "figures.json")
	if err := Update(path, nil); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want one that names %s", err, path)
	}
}

func TestParseRefusesOtherFields(t *testing.T) {
	for _, data := range []string{`{"alexnet": {"parms": 1}}`, `[]`, ``} {
		if _, err := parse([]byte(data)); err == nil {
			t.Errorf("%q was read as figures", data)
		}
	}
}
