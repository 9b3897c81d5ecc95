package main

import (
	"github.com/spf13/pflag"

	"github.com/reidbench/reidbench/models"
)

// publishedStride is the last one of the networks that have a last stride.
const publishedStride = 2

// variantOptions are the flags that change networks.
type variantOptions struct {
	neck       bool
	lastStride int
	inputSize  models.ImageSize
}

// register adds the flags; inPlace says in place of what they are.
func (o *variantOptions) register(flags *pflag.FlagSet, inPlace string) {
	flags.IntVar(&o.lastStride, "last-stride",
		0, "`stride` of the last stage that has one: 1, or 2 as published"+inPlace)
	flags.TextVar(&o.inputSize, "input-size", models.ImageSize{},
		"`HxW` of images, as 384x128, in place of the networks' own")
	flags.BoolVar(&o.neck, "bnneck", false, "a batch norm between features and classifier"+inPlace)
}

// of has the models with their networks as the flags have them.
func (o *variantOptions) of(list ...models.Model) ([]models.Model, error) {
	if o.lastStride < 0 || o.lastStride > publishedStride {
		return nil, misuse("--last-stride is 1, or %d as published, not %d", publishedStride, o.lastStride)
	}
	v := models.Variant{Neck: o.neck, LastStride: o.stride(), Input: o.inputSize}
	for i, m := range list {
		list[i] = m.As(v)
	}
	return list, nil
}

// stride is the last one if it is not the published, else 0.
func (o *variantOptions) stride() int {
	if o.lastStride == publishedStride {
		return 0
	}
	return o.lastStride
}
