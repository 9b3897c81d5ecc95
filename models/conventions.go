package models

import (
	"cmp"
	"path"
	"strings"
)

// Conventions are what an implementation takes for granted and its files do not say. Where two of them differ, the
// same names and values are two networks.
type Conventions struct {
	// Eps is the epsilon of its batch norms; 0: that of the network here.
	Eps float64
	// Input is how it normalises images.
	Input Normalisation
	// SamePadding: the strided convolutions pad as TensorFlow does, the odd pixel below and to the right, where those
	// here pad alike on all sides.
	SamePadding bool
	// Differs says in what else its network is another one, "its stem …"; "": in nothing.
	Differs string
}

// Normalisation is how an image becomes a network's input: (x/255 − mean) / std, channel by channel.
type Normalisation string

// The normalisations that published files were trained with.
const (
	ImageNet Normalisation = "imagenet" // the mean and deviation of ImageNet's channels; "" is the same
	Centred  Normalisation = "centred"  // mean and deviation ½: from −1 to 1
	Unit     Normalisation = "unit"     // mean 0, deviation 1: from 0 to 1
	CLIP     Normalisation = "clip"     // the mean and deviation of CLIP's training set (Radford et al. 2021)
)

// Normalisations lists them.
func Normalisations() []Normalisation { return []Normalisation{ImageNet, Centred, Unit, CLIP} }

// MeanStd are the means and standard deviations of R, G and B.
func (n Normalisation) MeanStd() (mean, std [3]float64) {
	switch n {
	case Centred:
		return [3]float64{0.5, 0.5, 0.5}, [3]float64{0.5, 0.5, 0.5}
	case Unit:
		return [3]float64{0, 0, 0}, [3]float64{1, 1, 1}
	case CLIP:
		return [3]float64{0.48145466, 0.4578275, 0.40821073}, [3]float64{0.26862954, 0.26130258, 0.27577711}
	}
	return [3]float64{0.485, 0.456, 0.406}, [3]float64{0.229, 0.224, 0.225}
}

// publishedInputs are the normalisations of files that timm publishes beside those that its network otherwise has, by
// what their names say of their training.
var publishedInputs = []struct {
	pattern string
	input   Normalisation
}{
	{"*ra4_e3600*", Centred},
	{"tf_efficientnet_b?[_.]ap*", Centred}, // trained on adversarial examples
	{"*miil*", Unit},
	{"convnext*.clip*", CLIP},
	{"*.dino*", ImageNet}, {"*.mae*", ImageNet},
}

// Called reports whether a file's name, lower-case and without its ending, is one that the source's files have.
func (s Source) Called(name string) bool {
	for _, pattern := range s.Files {
		if ok, _ := path.Match(pattern, name); ok {
			return true
		}
	}
	return false
}

// Of are the conventions of the source's file of that name, lower-case and without its ending.
func (s Source) Of(name string) Conventions {
	c := s.Conventions
	if strings.HasPrefix(s.Name, "timm") {
		for _, p := range publishedInputs {
			if ok, _ := path.Match(p.pattern, name); ok {
				c.Input = p.input
			}
		}
	}
	c.Input = cmp.Or(c.Input, ImageNet)
	return c
}
