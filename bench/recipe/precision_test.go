package recipe

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/reidbench/reidbench/kernels/gemm"
)

func TestPrecisionIsPartOfTheRecipe(t *testing.T) {
	plain, err := json.Marshal(Quick())
	if err != nil || strings.Contains(string(plain), "precision") {
		t.Errorf("the recipe of fp32 is recorded as %s, %v", plain, err)
	}
	recipe := Quick()
	recipe.Precision = gemm.BF16
	data, err := json.Marshal(recipe)
	if err != nil || !strings.Contains(string(data), `"precision":"bf16"`) {
		t.Errorf("the recipe of bf16 is recorded as %s, %v", data, err)
	}
	var again Recipe
	if err := json.Unmarshal(data, &again); err != nil || again != recipe {
		t.Errorf("read back: %+v, %v", again, err)
	}
}
