package bench

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/results"
)

// interferences are what happens between a kill and the next try.
var interferences = []struct {
	name string
	with func(t *testing.T, c Config)
}{
	{"training image written anew", func(t *testing.T, c Config) { changeData(t, c, "bounding_box_train", swap) }},
	{"gallery image written anew", func(t *testing.T, c Config) { changeData(t, c, "bounding_box_test", swap) }},
	{"query torn", func(t *testing.T, c Config) { changeData(t, c, "query", truncateKeepingSize) }},
	{"teacher trained anew, elsewhere", func(t *testing.T, c Config) {
		if _, err := results.Read(filepath.Join(c.Out, "teacher")); errors.Is(err, os.ErrNotExist) {
			return // killed before
		}
		other := c
		other.Out, other.Recipe.LR = t.TempDir(), 0.02
		mustRun(t, other, teacherJob)
		for _, name := range []string{store.WeightsFile, store.WeightsFile + digestSuffix} {
			data, err := os.ReadFile(filepath.Join(other.Out, "teacher", name))
			if err == nil {
				err = os.WriteFile(filepath.Join(c.Out, "teacher", name), data, 0o666)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}},
	{"record of a newer version", func(t *testing.T, c Config) {
		path := filepath.Join(c.Out, "teacher", results.File)
		record, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			return // killed before
		}
		if err != nil {
			t.Fatal(err)
		}
		newer := strings.Replace(string(record), "{", `{"from_the_future": 1,`, 1)
		if err := os.WriteFile(path, []byte(newer), 0o666); err != nil {
			t.Fatal(err)
		}
	}},
}

// truncateKeepingSize leaves zeros in place of most of a file.
func truncateKeepingSize(path string, _ []string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return errors.Join(os.Truncate(path, 100), os.Truncate(path, info.Size()))
}

// TestKilledAndInterferedWith kills a process that trains, changes something, and repeats its command. What is done
// then is what nothing disturbed, or its record says that it saw or learned from something else: no two records that
// claim the same have other figures or weights.
func TestKilledAndInterferedWith(t *testing.T) {
	rounds := 4
	if testing.Short() {
		rounds = 1
	}
	random, undisturbed := killer(t, 1)
	for _, interference := range interferences {
		t.Run(interference.name, func(t *testing.T) {
			refused := 0
			for range rounds {
				c := undisturbed
				c.Out = filepath.Join(t.TempDir(), "runs")
				ownData(t, &c)
				for killed := true; killed && random.IntN(3) > 0; {
					killed = life(t, c, 1+random.IntN(20), time.Duration(random.Int64N(int64(4*time.Millisecond))))
				}
				interference.with(t, c)
				if _, err := Run(t.Context(), c); err != nil {
					refused++
				}
				for _, job := range []string{"teacher", "student"} {
					sameClaimSameBits(t, undisturbed, c, job)
				}
			}
			t.Logf("%d of %d were refused", refused, rounds)
		})
	}
}

// sameClaimSameBits holds the record of a job that is done against the undisturbed one's.
func sameClaimSameBits(t *testing.T, undisturbed, c Config, job string) {
	t.Helper()
	want := readRecord(t, undisturbed, job)
	got, err := results.Read(filepath.Join(c.Out, job))
	if err != nil || got.State != results.StateDone {
		return
	}
	claimsTheSame := cmp.Equal(want.Images, got.Images) && cmp.Equal(want.Teacher, got.Teacher)
	if claimsTheSame && (want.Weights != got.Weights || !cmp.Equal(want.Final, got.Final)) {
		t.Errorf("the %s has come to other figures or weights, and nothing in its record tells why:\n%s",
			job, cmp.Diff(want, got))
	}
}
