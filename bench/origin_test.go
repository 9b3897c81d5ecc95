package bench

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/weights"
	"github.com/reidbench/reidbench/models"
)

// TestOriginOf: whose a file is, by its name and its tensors' names, or as it is told.
func TestOriginOf(t *testing.T) {
	const v3, v4, small = "inceptionv3", "inceptionv4", "mobilenetv3-small"
	for _, c := range []struct {
		model, file string
		names       string // of some of its tensors
		asked       string
		want        string
		input       models.Normalisation
		guessed     bool
	}{
		{v3, "inception_v3_google-0cc3c7bd", "fc.weight", "", "torchvision", models.Centred, false},
		{v3, "gluon_inception_v3-9f746940", "fc.weight", "", "gluon", models.ImageNet, false},
		{v3, "mine", "fc.weight", "", "torchvision", models.Centred, true},
		{v3, "mine", "fc.weight", "reidbench", "reidbench", models.ImageNet, false},
		{v3, "mine", "fc.weight", "torchvision,imagenet", "torchvision", models.ImageNet, false},
		{v4, "mine", "last_linear.weight", "", "timm", models.Centred, false},
		{v4, "mine", "classifier.weight features.20.branch2_3a.conv.weight", "", "torchreid", models.ImageNet, false},
		{small, "mobilenetv3_small_100_lamb-266a294c", "conv_stem.weight", "", "timm", models.ImageNet, false},
		{small, "tf_mobilenetv3_small_100-37f49e2b", "conv_stem.weight", "", "timm-tf", models.Centred, false},
		{small, "mobilenet_v3_small-047dcff4", "features.0.0.weight", "", "torchvision", models.ImageNet, false},
		{small, "mine", "backbone.features.0.0.weight", "", "torchvision", models.ImageNet, false},
		{"efficientnetv2-s", "mine", "features.0.0.weight", "", "torchvision", models.ImageNet, false},
		{"efficientnetv2-s", "mine", "conv_stem.weight", "", "timm-tf", models.Centred, true},
		{small, "mine", "conv_stem.weight", "", "timm", models.ImageNet, true},
		{small, "mine", "conv_stem.weight", "timm-tf", "timm-tf", models.Centred, false},
		{"mobilenet_v3_large", "mobilenetv3_large_100_in21k_miil", "bn1.weight", "", "timm", models.Unit, false},
		{"vit-b16", "vit_base_patch16_224", "cls_token", "", "timm", models.Centred, false},
		{"vit-b16", "vit_base_patch16_224.mae", "cls_token", "", "timm", models.ImageNet, false},
		{"vit-b16", "deit_base_patch16_224-b5f2ef4d", "cls_token", "", "deit", models.ImageNet, false},
		{"vit-b16", "mine", "class_token", "", "torchvision", models.ImageNet, false},
		{"deit-s16", "deit_small_patch16_224-cd65a155", "cls_token", "", "deit", models.ImageNet, false},
		{"efficientnet_b0", "tf_efficientnet_b0_ap-f262efe1", "conv_stem.weight", "", "timm-tf", models.Centred, false},
		{"resnet50", "mine", "fc.weight", "", "torchvision", models.ImageNet, false},
	} {
		m, err := models.Lookup(c.model)
		if err != nil {
			t.Fatal(err)
		}
		g, err := m.Graph(2)
		if err != nil {
			t.Fatal(err)
		}
		source, err := ParseWeightsSource(c.asked)
		if err != nil || source.String() != c.asked {
			t.Fatalf("%q becomes %v, %v", c.asked, source, err)
		}
		got, err := source.originOf(listedArchive(t, strings.Fields(c.names)), m, g, publishedFile{name: c.file})
		if err != nil {
			t.Errorf("%s, %s: %v", c.model, c.file, err)
			continue
		}
		have := []any{got.source, got.conventions.Input, len(got.guessed) > 0}
		if diff := cmp.Diff([]any{c.want, c.input, c.guessed}, have); diff != "" {
			t.Errorf("%s, %s %q (-want +got):\n%s", c.model, c.file, c.asked, diff)
		}
		if note := got.note(nil); strings.Contains(note, "--weights-source") != c.guessed {
			t.Errorf("%s, %s: note %q", c.model, c.file, note)
		}
	}
}

// listedArchive has tensors of those names, of one value each.
func listedArchive(t *testing.T, names []string) *weights.Archive {
	t.Helper()
	var tensors []weights.Tensor
	for _, name := range names {
		tensors = append(tensors, weights.Tensor{Name: name, Shape: []int{1}, Data: []float32{0}})
	}
	var file strings.Builder
	if err := weights.WriteSafetensors(&file, tensors, nil); err != nil {
		t.Fatal(err)
	}
	a, err := weights.New("memory", strings.NewReader(file.String()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestParseWeightsSourceRefuses(t *testing.T) {
	for _, text := range []string{"timn", "timm,torchvision", "centred,unit", "timm,", ","} {
		if s, err := ParseWeightsSource(text); err == nil {
			t.Errorf("%q becomes %v", text, s)
		}
	}
}

// TestOriginOfUnknownSource: a model says which sources it has.
func TestOriginOfUnknownSource(t *testing.T) {
	m, err := models.Lookup("osnet")
	if err != nil {
		t.Fatal(err)
	}
	g, err := m.Graph(2)
	if err != nil {
		t.Fatal(err)
	}
	_, err = WeightsSource{Name: "timm"}.originOf(listedArchive(t, []string{"a"}), m, g, publishedFile{})
	if want := "memory: osnet has no source timm, only reidbench, torchreid"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if !slices.IsSorted(models.SourceNames()) {
		t.Error("names of sources are out of order")
	}
}
