package conv

import (
	"slices"
	"testing"

	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
)

// Every form is chosen where it should be, for the shapes of published networks.
func TestConvForms(t *testing.T) {
	square := func(size, c, outC, kernel, stride, groups int) Shape {
		return Shape{
			H: size, W: size, C: c, OutC: outC, KH: kernel, KW: kernel, SH: stride, SW: stride,
			PH: kernel / 2, PW: kernel / 2, Groups: groups,
		}
	}
	normalised := func(s Shape) Shape { s.BeforeNorm = true; return s }
	kept := func(s Shape) Shape { s.Kept = true; return s }
	for _, test := range []struct {
		name  string
		shape Shape
		n     int
		want  Forms
	}{
		{"1×1", square(16, 64, 96, 1, 1, 1), 4, Forms{FormProduct, FormProduct, FormProduct}},
		{"1×1, deep and wide", square(16, 256, 256, 1, 1, 1), 4, Forms{FormStrassen, FormStrassen, FormProduct}},
		{"1×1, one block of rows", square(4, 256, 256, 1, 1, 1), 1, Forms{FormProduct, FormProduct, FormProduct}},
		{"3×3", square(16, 64, 64, 3, 1, 1), 4, Forms{FormWinograd, FormWinograd, FormWinograd}},
		{"3×3, few large tiles", square(4, 64, 64, 3, 1, 1), 8, Forms{FormWinograd, FormProduct, FormProduct}},
		{
			"3×3, an image", normalised(square(11, 64, 64, 3, 1, 1)), 1,
			Forms{FormProduct, FormProduct, FormProduct},
		},
		{
			"3×3, an image and kept filters", kept(normalised(square(11, 64, 64, 3, 1, 1))), 1,
			Forms{FormWinograd, FormWinograd, FormWinograd},
		},
		{
			"3×3, an image that is few large tiles", kept(normalised(square(6, 64, 64, 3, 1, 1))), 1,
			Forms{FormWinograd, FormProduct, FormProduct},
		},
		{
			"3×3, an image that is few small tiles", kept(normalised(square(4, 64, 64, 3, 1, 1))), 1,
			Forms{FormProduct, FormProduct, FormProduct},
		},
		{"3×3, few channels", square(16, 32, 32, 3, 1, 1), 4, Forms{FormProduct, FormWinograd, FormWinograd}},
		{"3×3, stride 2", square(16, 64, 64, 3, 2, 1), 4, Forms{FormProduct, FormProduct, FormProduct}},
		{"stem", square(128, 3, 64, 7, 2, 1), 2, Forms{FormLines, FormProduct, FormLines}},
		{"grouped", square(16, 128, 128, 3, 1, 32), 2, Forms{FormGrouped, FormGrouped, FormGrouped}},
		{"depthwise", square(16, 96, 96, 3, 1, 96), 2, Forms{FormDepthwise, FormDepthwise, FormDepthwise}},
	} {
		t.Run(test.name, func(t *testing.T) {
			kerneltest.ForEachISA(t, func(t *testing.T) {
				c, err := New(test.shape)
				if err != nil {
					t.Fatal(err)
				}
				if got := c.Forms(test.n); got != test.want {
					t.Errorf("%s, want %s", got, test.want)
				}
			})
		})
	}
}

func TestWorkspaceChangesNothing(t *testing.T) {
	for _, s := range convShapes {
		c, err := New(s)
		if err != nil {
			t.Fatal(err)
		}
		c.Workspace(3, 2)
		samples := []int{c.forward.n, c.weights.n}
		for i := range c.data {
			samples = append(samples, c.data[i].n)
		}
		if c.grouped != nil {
			samples = append(samples, c.grouped.conv.n, c.grouped.data.n, c.grouped.gradient.n)
		}
		if c.depthwise != nil {
			samples = append(samples, c.depthwise.conv.n, c.depthwise.data.n, c.depthwise.gradient.n)
		}
		if slices.Max(samples) > 0 {
			t.Errorf("%s: Workspace set the number of samples of a call: %v", convName(s), samples)
		}
	}
}
