package bench

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/models"
)

var update = flag.Bool("update", false, "rewrite the digests of the instruction set in use in testdata/bits.txt")

// longVariable, if set, asks for all of the tests that take minutes.
const longVariable = "REIDBENCH_TEST_LONG"

// bitsModels are the models of testdata/bits.txt, of all kinds. The first of them, the cheapest, are always trained.
var bitsModels = []string{
	"mobilenetv3-small", "osnet", "regnety_002",
	"convnext-tiny", "deit-t16", "densenet121", "efficientnet_b0", "resnet18",
}

const alwaysTrained = 3

// TestBits trains on a synthetic dataset and holds the digests of weights and metrics against testdata/bits.txt, so
// that a change of any result shows. testdata/README.md says what to do where it is meant.
func TestBits(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the portable loops' sums are rounded once where the compiler fuses multiplications and additions")
	}
	names := bitsModels
	if os.Getenv(longVariable) == "" && !*update {
		names = names[:alwaysTrained]
	}
	c := Config{Out: t.TempDir(), Recipe: recipe.Tiny(), Seed: 3}
	for _, name := range names {
		m, err := models.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		c.Models = append(c.Models, m)
	}
	mustRun(t, c)

	got := map[string]string{}
	timing := regexp.MustCompile(`,"timing":\{[^}]*\}`)
	for _, m := range c.Models {
		for _, file := range []string{store.WeightsFile, store.MetricsFile} {
			data, err := os.ReadFile(filepath.Join(c.Out, m.Name, file))
			if err != nil {
				t.Fatal(err)
			}
			name := fmt.Sprintf("%s %s/%s", isa.Active(), m.Name, file)
			got[name] = fmt.Sprintf("%x", sha256.Sum256(timing.ReplaceAll(data, nil)))
		}
	}
	golden := filepath.Join("testdata", "bits.txt")
	committed := readBits(t, golden)
	if *update {
		maps.Copy(committed, got)
		writeBits(t, golden, committed)
		return
	}
	want := map[string]string{}
	for name := range got {
		want[name] = committed[name]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the bits of results have changed (-committed +computed):\n%s", diff)
	}
}

// readBits reads lines of an instruction set, a file and its digest.
func readBits(t *testing.T, path string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	digests := map[string]string{}
	for line := range strings.Lines(string(data)) {
		at := strings.LastIndexByte(strings.TrimSpace(line), ' ')
		if at < 0 {
			t.Fatalf("%s: a line without a digest: %q", path, line)
		}
		digests[line[:at]] = strings.TrimSpace(line[at:])
	}
	return digests
}

func writeBits(t *testing.T, path string, digests map[string]string) {
	t.Helper()
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(digests)) {
		fmt.Fprintf(&text, "%s %s\n", name, digests[name])
	}
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}
