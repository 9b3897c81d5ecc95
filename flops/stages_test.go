package flops

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/models/graph"
)

func stagesOf(t *testing.T, m models.Model) (Report, []Stage) {
	t.Helper()
	g, err := m.Graph(IdentityCount)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Count(g)
	if err != nil {
		t.Fatal(err)
	}
	return r, r.Stages()
}

// TestStagesAreWhole: every layer is in one stage, and no cost is lost.
func TestStagesAreWhole(t *testing.T) {
	for _, m := range models.All() {
		r, stages := stagesOf(t, m)
		if len(stages) > mostStages || len(stages) < 3 && slices.ContainsFunc(stages, Stage.opens) {
			t.Errorf("%s has %d stages", m.Name, len(stages))
		}
		seen, names := map[*graph.Node]bool{}, map[string]bool{}
		var sum Cost
		for _, s := range stages {
			if names[s.Name] {
				t.Errorf("%s has two stages called %s", m.Name, s.Name)
			}
			names[s.Name] = true
			for _, n := range s.Nodes {
				if seen[n] {
					t.Errorf("%s: layer %s is in two stages", m.Name, n.Name)
				}
				seen[n] = true
			}
			sum.add(s.Cost)
		}
		if len(seen) != len(r.Costs) {
			t.Errorf("%s: %d of %d layers are in a stage", m.Name, len(seen), len(r.Costs))
		}
		want := r.Total
		want.add(r.Classifier)
		if sum != want {
			t.Errorf("%s: the stages' costs sum to %+v, want %+v", m.Name, sum, want)
		}
	}
}

func TestStagesByName(t *testing.T) {
	for name, want := range map[string][]string{
		"resnet50": {"conv1 128×64", "layer1 64×32", "layer2 32×16", "layer3 16×8", "layer4 8×4",
			"classifier 1×1"},
		"regnetx-032": {"stem 128×64", "trunk_output.block1 64×32", "trunk_output.block2 32×16",
			"trunk_output.block3 16×8", "trunk_output.block4 8×4", "fc 1×1"},
		"mobilenetv2-100": {"features.0–2 128×64", "features.3–4 64×32", "features.5–7 32×16", "features.8–14 16×8",
			"features.15–18 8×4", "classifier.1 1×1"},
		"xception": {"conv1 127×63", "conv2–block1 125×61", "block2 63×31", "block3 32×16",
			"block4–block12 16×8", "conv3–conv4 8×4", "classifier 1×1"},
		"vt-resnet50-1f1r": {"trunk.0 128×64", "trunk.4 64×32", "trunk.5 32×16", "trunk.6 16×8", "blocks 1×128",
			"classifier 1×1"},
	} {
		m, err := models.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		_, stages := stagesOf(t, m)
		for _, s := range stages {
			got = append(got, fmt.Sprintf("%s %d×%d", s.Name, s.Shape.H, s.Shape.W))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
