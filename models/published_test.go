package models

import (
	"fmt"
	"testing"

	"github.com/reidbench/reidbench/models/graph"
)

// TestPublishedSizes holds the models against the numbers of parameters that torchvision's
// documentation and timm's results table state, with ImageNet's 1000 classes and, as the
// position embeddings depend on it, its 224×224 pixels.
func TestPublishedSizes(t *testing.T) {
	exact := map[string]int{
		"alexnet":               61100840,
		"vgg11":                 132863336,
		"vgg13":                 133047848,
		"vgg16":                 138357544,
		"vgg19":                 143667240,
		"resnet18":              11689512,
		"resnet34":              21797672,
		"resnet50":              25557032,
		"resnet101":             44549160,
		"resnet152":             60192808,
		"resnext50_32x4d":       25028904,
		"wide_resnet50_2":       68883240,
		"densenet121":           7978856,
		"densenet161":           28681000,
		"densenet169":           14149480,
		"densenet201":           20013928,
		"mobilenet_v2":          3504872,
		"mobilenet_v3_small":    2542856,
		"mobilenet_v3_large":    5483032,
		"efficientnet_b0":       5288548,
		"efficientnet_b1":       7794184,
		"efficientnet_b2":       9109994,
		"efficientnet_b3":       12233232,
		"efficientnet_b4":       19341616,
		"efficientnet_b5":       30389784,
		"efficientnet_b6":       43040704,
		"efficientnet_b7":       66347960,
		"efficientnet_v2_s":     21458488,
		"efficientnet_v2_m":     54139356,
		"efficientnet_v2_l":     118515272,
		"regnet_x_400mf":        5495976,
		"regnet_x_800mf":        7259656,
		"regnet_x_1_6gf":        9190136,
		"regnet_x_3_2gf":        15296552,
		"regnet_x_8gf":          39572648,
		"regnet_x_16gf":         54278536,
		"regnet_x_32gf":         107811560,
		"regnet_y_400mf":        4344144,
		"regnet_y_800mf":        6432512,
		"regnet_y_1_6gf":        11202430,
		"regnet_y_3_2gf":        19436338,
		"regnet_y_8gf":          39381472,
		"regnet_y_16gf":         83590140,
		"regnet_y_32gf":         145046770,
		"convnext_tiny":         28589128,
		"convnext_small":        50223688,
		"convnext_base":         88591464,
		"convnext_large":        197767336,
		"vit_base_patch16_224":  86567656,
		"vit_base_patch32_224":  88224232,
		"vit_large_patch16_224": 304326632,
		"vit_large_patch32_224": 306535400,
	}
	millions := map[string]string{
		"inception_v4":          "42.68",
		"inception_resnet_v2":   "55.84",
		"xception":              "22.86",
		"seresnet50":            "28.09",
		"legacy_senet154":       "115.09",
		"hrnet_w18":             "21.30",
		"hrnet_w32":             "41.23",
		"hrnet_w48":             "77.47",
		"regnetx_002":           "2.68",
		"regnetx_006":           "6.20",
		"regnetx_040":           "22.12",
		"regnetx_064":           "26.21",
		"regnetx_120":           "46.11",
		"regnety_002":           "3.16",
		"regnety_006":           "6.06",
		"regnety_040":           "20.65",
		"regnety_064":           "30.58",
		"regnety_120":           "51.82",
		"deit_tiny_patch16_224": "5.72",
		"vit_small_patch16_224": "22.05",
		"vit_small_patch32_224": "22.88",
		"tnt_s_patch16_224":     "23.76",
		"tnt_b_patch16_224":     "65.41",
	}
	for name, want := range exact {
		if got := sizeOnImageNet(t, name); got != want {
			t.Errorf("%s has %d parameters, not %d", name, got, want)
		}
	}
	for name, want := range millions {
		if got := fmt.Sprintf("%.2f", float64(sizeOnImageNet(t, name))/1e6); got != want {
			t.Errorf("%s has %s million parameters, not %s", name, got, want)
		}
	}
}

func sizeOnImageNet(t *testing.T, name string) int {
	t.Helper()
	m, err := Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	m.Input = graph.Shape{H: 224, W: 224, C: 3}
	g, err := m.Graph(1000)
	if err != nil {
		t.Fatal(err)
	}
	size := 0
	for _, p := range g.Params {
		size += p.Size()
	}
	return size
}
