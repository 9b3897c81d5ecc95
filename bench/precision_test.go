package bench

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/reidbench/reidbench/kernels"
)

func TestPrecisionIsPartOfTheRecipe(t *testing.T) {
	plain, err := json.Marshal(Quick())
	if err != nil || strings.Contains(string(plain), "precision") {
		t.Errorf("the recipe of fp32 is recorded as %s, %v", plain, err)
	}
	recipe := Quick()
	recipe.Precision = kernels.BF16
	data, err := json.Marshal(recipe)
	if err != nil || !strings.Contains(string(data), `"precision":"bf16"`) {
		t.Errorf("the recipe of bf16 is recorded as %s, %v", data, err)
	}
	var again Recipe
	if err := json.Unmarshal(data, &again); err != nil || again != recipe {
		t.Errorf("read back: %+v, %v", again, err)
	}
}

// TestPrecisionConflicts: a run of one precision is not continued in another, and none begins where it is not available.
func TestPrecisionConflicts(t *testing.T) {
	c := testConfig(t, tiny("one"))
	mustRun(t, c)
	c.Recipe.Precision = kernels.BF16
	want := ErrConflict
	if kernels.BF16.Available() != nil {
		want = kernels.ErrPrecision
	}
	if _, err := Run(t.Context(), c); !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}
