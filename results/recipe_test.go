package results

import "testing"

func TestRecipeReadsAsASentence(t *testing.T) {
	type evaluation struct {
		Metric string `json:"metric"`
	}
	type values struct {
		Name          string      `json:"name"`
		HeadEpochs    int         `json:"head_epochs"`
		Epochs        int         `json:"epochs"`
		Batch         int         `json:"batch"`
		LR            float64     `json:"lr"`
		LRStep        int         `json:"lr_step"`
		LRGamma       float64     `json:"lr_gamma"`
		Warmup        int         `json:"warmup_epochs,omitempty"`
		Decay         float64     `json:"weight_decay"`
		Smoothing     float64     `json:"label_smoothing,omitempty"`
		Triplet       string      `json:"triplet,omitempty"`
		Sampler       string      `json:"sampler,omitempty"`
		EvaluateEvery int         `json:"evaluate_every"`
		ForwardMACs   int64       `json:"forward_macs"`
		Evaluation    *evaluation `json:"evaluation,omitempty"`
	}
	for _, test := range []struct {
		name   string
		values values
		want   string
	}{
		{
			"paper", values{"paper", 10, 150, 64, 5e-4, 50, 0.1, 0, 5e-4, 0, "", "", 10, 0, nil},
			"paper (epochs of the classifier alone 10, epochs 150, batch 64, learning rate 0.0005, " +
				"×0.1 every 50 epochs, weight decay 0.0005, evaluate every 10)",
		},
		{
			"tiny", values{
				"tiny", 1, 1, 4, 5e-4, 0, 0, 2, 5e-4, 0.1, "soft", "pk", 0, 20_000_000_000, &evaluation{"cosine"},
			},
			"tiny (epochs of the classifier alone 1, epochs 1, batch 4, sampler pk, learning rate 0.0005, " +
				"rising in the first 2 epochs, weight decay 0.0005, label smoothing 0.1, triplet loss soft, " +
				"cut to 20 G multiply-adds, " +
				"evaluation (metric cosine))",
		},
	} {
		r, err := NewRecipe(test.name, test.values)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.String(); got != test.want {
			t.Errorf("%s\nwant %s", got, test.want)
		}
	}
}

func TestRecipeWithACosine(t *testing.T) {
	r, err := NewRecipe("mine", map[string]any{"lr": 0.1, "lr_step": 2, "lr_gamma": 0.1, "annealing": "cosine"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := r.String(), "mine (learning rate 0.1, falling as a cosine)"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
