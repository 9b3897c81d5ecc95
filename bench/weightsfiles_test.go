package bench

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/models"
)

func lookup(t *testing.T, names ...string) []models.Model {
	t.Helper()
	var list []models.Model
	for _, name := range names {
		m, err := models.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, m)
	}
	return list
}

// TestWeightsFiles has the names that files are published and saved under.
func TestWeightsFiles(t *testing.T) {
	for name, c := range map[string]struct {
		files   []string // in the folder
		entries []string // $ is the folder; none: the folder
		models  []string
		want    map[string]string
		failure string
	}{
		"name": {files: []string{"osnet.pth"}, want: map[string]string{"osnet": "osnet.pth"}},
		"hash": {
			files: []string{"OSNet-0123abcd.pth"},
			want:  map[string]string{"osnet": "OSNet-0123abcd.pth"},
		},
		"trained on": {
			files: []string{"osnet_x1_0_imagenet.pth"},
			want:  map[string]string{"osnet": "osnet_x1_0_imagenet.pth"},
		},
		"PyTorch's .pt": {
			files: []string{"osnet_x1_0_msmt17.pt"},
			want:  map[string]string{"osnet": "osnet_x1_0_msmt17.pt"},
		},
		"nine digits": {
			files: []string{"xception-43020ad28.pth"}, models: []string{"xception"},
			want: map[string]string{"xception": "xception-43020ad28.pth"},
		},
		"beside a row": {
			files: []string{"xception-43020ad28.pth"}, models: []string{"xception-standard"},
			want: map[string]string{"xception-standard": "xception-43020ad28.pth"},
		},
		"width": {
			files: []string{"mobilenetv2_1.0-0f96a698.pth"}, models: []string{"mobilenetv2-100"},
			want: map[string]string{"mobilenetv2-100": "mobilenetv2_1.0-0f96a698.pth"},
		},
		"epoch": {
			files: []string{"resnet50.pth.tar-60"}, models: []string{"resnet50"},
			want: map[string]string{"resnet50": "resnet50.pth.tar-60"},
		},
		"distilled": {
			files:  []string{"deit_tiny_distilled_patch16_224-b40b3cf7.pth"},
			models: []string{"deit-t16-distiled-hard", "deit-t16-distiled-soft"},
			want: map[string]string{
				"deit-t16-distiled-hard": "deit_tiny_distilled_patch16_224-b40b3cf7.pth",
				"deit-t16-distiled-soft": "deit_tiny_distilled_patch16_224-b40b3cf7.pth",
			},
		},
		"distilled, for the other": {
			files: []string{"deit_tiny_distilled_patch16_224-b40b3cf7.pth"}, models: []string{"deit-t16"},
			failure: "no weights in $ for deit-t16:",
		},
		"longest": {
			files:  []string{"osnet_x0_25_market.pth", "osnet_market.pth", "resnet101-1.pth"},
			models: []string{"osnet", "osnet_x0_25"},
			want:   map[string]string{"osnet": "osnet_market.pth", "osnet_x0_25": "osnet_x0_25_market.pth"},
		},
		"two": {
			files:   []string{"osnet.pth", "osnet_x1_0.pth"},
			failure: "$/osnet.pth, $/osnet_x1_0.pth; say osnet=FILE",
		},
		"one of two": {
			files:   []string{"osnet.pth", "osnet_x1_0.pth"},
			entries: []string{"$", "OSNet=$/osnet.pth"},
			want:    map[string]string{"osnet": "osnet.pth"},
		},
		"none fits": {
			files: []string{"model.pth", "osnetto.pth", "osnet.txt"},
			failure: "no weights in $ for osnet: a file's name begins with its model's, for example " +
				"osnet.safetensors, .pth or .pt, or say osnet=FILE; there is model.pth, osnet.txt, osnetto.pth",
		},
		"digests": {
			files: []string{"osnet.safetensors", "osnet.safetensors.sha256"},
			want:  map[string]string{"osnet": "osnet.safetensors"},
		},
		"nothing": {failure: "there is no file at all"},
		"many others": {
			files:   strings.Fields("a b c d e f g h i j"),
			failure: "there is a, b, c, d, e, f, g, h and 2 more",
		},
		"a file": {
			files:   []string{"model.bin"},
			entries: []string{"$/model.bin"},
			want:    map[string]string{"osnet": "model.bin"},
		},
		"files": {
			files: []string{"osnet.1", "resnet50.2"}, entries: []string{"$/osnet.1", "$/resnet50.2"},
			models: []string{"resnet50", "osnet"},
			want:   map[string]string{"osnet": "osnet.1", "resnet50": "resnet50.2"},
		},
		"a file of unknown model": {
			files: []string{"model.pth"}, entries: []string{"$/model.pth"},
			models:  []string{"osnet", "resnet50"},
			failure: "no weights in $/model.pth for osnet, resnet50: a file's name",
		},
		"by model": {
			files: []string{"1", "2"}, entries: []string{"osnet_x1_0=$/1", "ResNet50=$/2"},
			models: []string{"osnet", "resnet50"},
			want:   map[string]string{"osnet": "1", "resnet50": "2"},
		},
		"twice": {
			files:   []string{"1", "2"},
			entries: []string{"osnet=$/1", "osnet=$/2"},
			failure: "$/1, $/2",
		},
		"another model": {
			files:   []string{"1"},
			entries: []string{"resnet50=$/1"},
			failure: "resnet50 is not among the models",
		},
		"no model":                 {entries: []string{"osnett=$/1"}, failure: `model "osnett"; did you mean "osnet"?`},
		"another, and no file":     {entries: []string{"resnet50=$/1"}, failure: "resnet50 is not among the models"},
		"no file":                  {entries: []string{"osnet=$/1"}, failure: "no such file"},
		"no file with equals sign": {entries: []string{"$/osnet=1"}, failure: "no such file"},
		"equals sign": {
			files:   []string{"osnet=1"},
			entries: []string{"$/osnet=1"},
			want:    map[string]string{"osnet": "osnet=1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, file := range c.files {
				if err := os.WriteFile(filepath.Join(dir, file), nil, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			if c.models == nil {
				c.models = []string{"osnet"}
			}
			w := WeightsFiles{dir}
			if c.entries != nil {
				w = nil
				for _, entry := range c.entries {
					w = append(w, strings.ReplaceAll(entry, "$", dir))
				}
			}
			got, err := w.For(lookup(t, c.models...))
			if c.failure != "" {
				want := strings.ReplaceAll(c.failure, "$", dir)
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%v, want %q", err, want)
				}
				if strings.HasPrefix(c.failure, "no weights") && !errors.Is(err, ErrNoWeights) {
					t.Errorf("%v is not ErrNoWeights", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for model, path := range got {
				got[model] = filepath.Base(path)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMapWeightsPaths(t *testing.T) {
	dir := t.TempDir()
	w := WeightsFiles{"some", "osnet=some/file", "strange=name", "a/b=c", filepath.Join(dir, "a=b")}
	got, err := w.MapPaths(func(path string) (string, error) { return "/abs/" + path, nil })
	want := WeightsFiles{
		"/abs/some", "osnet=/abs/some/file", "strange=/abs/name", "/abs/a/b=c", "/abs/" + filepath.Join(dir, "a=b"),
	}
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
