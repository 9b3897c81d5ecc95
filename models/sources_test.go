package models

import (
	"strings"
	"testing"

	"github.com/reidbench/reidbench/models/graph"
)

// TestSourcesLeadToTensors holds every listed name against the network: it leads to tensors that
// exist, and no tensor lacks a name there.
func TestSourcesLeadToTensors(t *testing.T) {
	for _, m := range All() {
		if len(m.Sources) == 0 {
			continue
		}
		g, err := m.Graph(1000)
		if err != nil {
			t.Fatal(err)
		}
		tensors := append(append([]*graph.Param{}, g.Params...), g.Buffers...)
		for _, source := range m.Sources {
			theirs := map[string]string{} // path or tensor here → there
			for from, to := range source.Modules {
				theirs[to] = from
				optional := strings.HasSuffix(from, ".downsample.conv") || strings.HasSuffix(from, ".downsample.bn") ||
					strings.HasSuffix(from, ".se")
				if !optional && !leadsTo(to, tensors) {
					t.Errorf("%s, %s: %s would be %s, which is nothing here", m.Name, source.Name, from, to)
				}
			}
			for _, p := range tensors {
				name := Modules(theirs).Rename(p.Name)
				if got := source.Modules.Rename(name); got != p.Name {
					t.Errorf("%s, %s: %s would be %s, which is read as %s", m.Name, source.Name, p.Name, name, got)
				}
			}
		}
	}
}

func leadsTo(path string, tensors []*graph.Param) bool {
	for _, p := range tensors {
		if p.Name == path || strings.HasPrefix(p.Name, path+".") {
			return true
		}
	}
	return false
}

// TestRename has names as they are in published files.
func TestRename(t *testing.T) {
	for _, test := range []struct{ model, source, theirs, ours string }{
		{"resnet50", "torchvision", "fc.weight", "classifier.weight"},
		{"resnet50", "torchvision", "layer1.0.conv1.weight", "layer1.0.conv1.weight"},
		{"seresnet50", "torchvision", "fc.bias", "fc.bias"},
		{"senet154", "timm", "last_linear.weight", "classifier.weight"},
		{"xception", "timm", "fc.weight", "classifier.weight"},
		{"inception-resnetv2", "pretrainedmodels", "last_linear.bias", "classif.bias"},
		{"inceptionv4", "timm", "features.20.branch2_2.bn.running_var", "features.20.branch2_0.2.bn.running_var"},
		{"inceptionv4", "timm", "features.21.branch2_3b.conv.weight", "features.21.branch2_1b.conv.weight"},
		{"osnet", "torchreid", "conv1.bn.weight", "conv.1.weight"},
		{"osnet", "torchreid", "conv2.0.conv1.conv.weight", "layer1.0.conv1.conv.weight"},
		{"osnet", "torchreid", "conv5.bn.bias", "conv1.bn.bias"},
		{"osnet", "torchreid", "fc.0.weight", "refactor.0.weight"},
		{"efficientnet-b4", "timm", "blocks.0.1.conv_pw.weight", "_blocks.1._project_conv.weight"},
		{"efficientnet-b4", "timm", "blocks.2.1.bn3.running_mean", "_blocks.7._bn2.running_mean"},
		{"efficientnet-b4", "timm", "bn2.weight", "_bn1.weight"},
		{"efficientnet-b4", "lukemelas", "_fc.weight", "classifier.weight"},
		{"efficientnet_b0", "torchvision", "features.2.1.block.2.fc2.bias", "_blocks.2._se_expand.bias"},
		{"mobilenetv2-100", "timm", "blocks.0.0.conv_pw.weight", "features.1.conv.1.weight"},
		{"mobilenetv2-100", "timm", "blocks.6.0.bn3.bias", "features.17.conv.3.bias"},
		{"mobilenetv3-small", "timm", "blocks.0.0.se.conv_expand.weight", "features.1.block.1.fc2.weight"},
		{"mobilenetv3-small", "timm", "blocks.1.0.conv_dw.weight", "features.2.block.1.0.weight"},
		{"mobilenetv3-small", "timm", "blocks.4.2.conv_pwl.weight", "features.11.block.3.0.weight"},
		{"mobilenetv3-small", "timm", "blocks.5.0.bn1.weight", "features.12.1.weight"},
		{"mobilenetv3-small", "timm", "conv_head.bias", "classifier.0.bias"},
		{"regnety-032", "timm", "s2.b3.se.fc1.weight", "trunk_output.block2.block2-2.f.se.fc1.weight"},
		{"regnetx-032", "timm", "s1.b1.downsample.bn.bias", "trunk_output.block1.block1-0.proj.1.bias"},
		{"convnext-tiny", "timm", "stages.2.downsample.1.weight", "features.4.1.weight"},
		{"convnext-tiny", "timm", "stages.0.blocks.2.gamma", "features.1.2.layer_scale"},
		{"convnext-tiny", "facebookresearch", "stages.3.0.pwconv2.bias", "features.7.0.block.5.bias"},
		{"vit-b16", "torchvision", "encoder.layers.encoder_layer_11.self_attention.in_proj_bias",
			"blocks.11.attn.qkv.bias"},
		{"vit-b16", "torchvision", "encoder.layers.encoder_layer_0.mlp.linear_2.weight", "blocks.0.mlp.fc2.weight"},
		{"vit-b16", "torchvision", "class_token", "cls_token"},
	} {
		m, err := Lookup(test.model)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, source := range m.Sources {
			if source.Name == test.source {
				found = true
				if got := source.Modules.Rename(test.theirs); got != test.ours {
					t.Errorf("%s, %s: %s becomes %s, not %s", test.model, test.source, test.theirs, got, test.ours)
				}
			}
		}
		if !found {
			t.Errorf("%s has no source %s", test.model, test.source)
		}
	}
}

func TestWeightsNames(t *testing.T) {
	for name, want := range map[string]string{
		"osnet":    "osnet osnet_x1_0",
		"deit-t16": "deit-t16 deit-t16(256,128) deit_tiny_patch16_224",
		"deit-t16-distiled-soft": "deit-t16-distiled-soft deit-t16-distiled-soft(256,128) deit-t16-distilled-soft " +
			"deit_tiny_distilled_patch16_224 deit-t16 deit-t16(256,128) deit_tiny_patch16_224",
	} {
		m, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(m.WeightsNames(), " "); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
