package results

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// recipeLabels are what values of recipes are called, in this order. Others follow under their own names.
var recipeLabels = []struct{ key, label string }{
	{"head_epochs", "epochs of the classifier alone"},
	{"epochs", "epochs"},
	{"batch", "batch"},
	{"sampler", "sampler"},
	{"random_erasing", "random erasing"},
	{"pad_crop", "pad and crop"},
	{"optimizer", "optimiser"},
	{"lr", "learning rate"},
	{"weight_decay", "weight decay"},
	{"label_smoothing", "label smoothing"},
	{"triplet", "triplet loss"},
	{"bnneck", "batch norm before the classifier"},
	{"last_stride", "last stride"},
	{"input_size", "images of"},
}

// String lists the recipe's name and its values, those of nested objects in brackets. What has no effect is left out.
func (r Recipe) String() string {
	values := maps.Clone(r.Values)
	var said []string
	for _, l := range recipeLabels {
		if value, ok := values[l.key]; ok {
			said = append(said, strings.TrimSuffix(l.label+" "+inline(value), " true"))
			delete(values, l.key)
		}
		if l.key == "lr" && inline(values["annealing"]) == "cosine" {
			said = append(said, "falling as a cosine")
		} else if l.key == "lr" && !isZero(values["lr_step"]) {
			factor, epochs := inline(values["lr_gamma"]), inline(values["lr_step"])
			said = append(said, fmt.Sprintf("×%s every %s epochs", factor, epochs))
		}
		if warmup := values["warmup_epochs"]; l.key == "lr" && !isZero(warmup) {
			said = append(said, fmt.Sprintf("rising in the first %s epochs", inline(warmup)))
		}
	}
	if macs, err := strconv.ParseFloat(inline(values["forward_macs"]), 64); err == nil && macs > 0 {
		said = append(said, fmt.Sprintf("cut to %.3g G multiply-adds", macs/1e9))
	}
	for _, key := range []string{"annealing", "lr_gamma", "lr_step", "warmup_epochs", "forward_macs"} {
		delete(values, key)
	}
	if said = append(said, describe(values)...); len(said) == 0 {
		return r.Name
	}
	return r.Name + " (" + strings.Join(said, ", ") + ")"
}

// departs reports whether the embeddings were made or compared in another way than the published.
func (r Recipe) departs() bool {
	evaluation, _ := r.Values["evaluation"].(map[string]any)
	return evaluation["metric"] != nil || evaluation["flip"] != nil
}

// describe lists values by name, those of a nested object in brackets. What happens every 0 epochs is left out.
func describe(values map[string]any) []string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(values)) {
		label := strings.ReplaceAll(key, "_", " ") + " "
		switch value := values[key].(type) {
		case map[string]any:
			if key != "synthetic" {
				all = append(all, label+"("+strings.Join(describe(value), ", ")+")")
			}
		default:
			if key != "name" && !(isZero(value) && strings.HasSuffix(key, "_every")) {
				all = append(all, label+inline(value))
			}
		}
	}
	return all
}

// inline is a value as it stands in a sentence.
func inline(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(encoded)
}

// isZero reports whether a value is missing, or the number 0.
func isZero(value any) bool { return value == nil || inline(value) == "0" }
