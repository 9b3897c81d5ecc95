package models

import "github.com/reidbench/reidbench/models/graph"

// A vgg is torchvision's VGG without batch norm (Simonyan and Zisserman 2015, table 1) by the
// number of convolutions in each of its stages.
type vgg [5]int

func (v vgg) build(b *graph.Builder, classes int) (features, logits *graph.Node) {
	x, modules := b.Input(), sequence{module: "features"}
	for stage, convs := range v {
		for range convs {
			x = b.Conv(modules.next(), x, biased(conv(min(64<<stage, 512), 3, 1)))
			x = b.ReLU(modules.next(), x)
		}
		x = b.Op(modules.next(), graph.MaxPool{Kernel: graph.Square(2)}, x)
	}
	x = b.Op("avgpool", graph.AdaptiveAvgPool{Out: graph.Square(7)}, x)
	x = b.Op("flatten", graph.Flatten{}, x)
	x = b.Linear("classifier.0", x, 4096)
	x = b.ReLU("classifier.1", x)
	x = dropout(b, "classifier.2", x, 0.5)
	x = b.Linear("classifier.3", x, 4096)
	x = b.ReLU("classifier.4", x)
	// The note's embedding is classifier[:-1], the input of the last linear layer.
	features = dropout(b, "classifier.5", x, 0.5)
	return features, b.Linear("classifier.6", features, classes)
}

// vggTimm has the first two linear layers as convolutions, which timm moves over maps that are larger than 7×7.
var vggTimm = []Source{{Name: "timm",
	Modules: Modules{"pre_logits.fc1": "classifier.0", "pre_logits.fc2": "classifier.3", "head.fc": "classifier.6"},
	Conventions: Conventions{Differs: "its linear layers are convolutions, and images that are not 224×224 come to " +
		"another mean over them than to the one of this row's 7×7 cells"}}}

func init() {
	add := func(name, row string, v vgg) {
		register(Model{Name: name, Row: row, Family: CNN, Input: PersonImage, Build: v.build, Sources: vggTimm})
	}
	add("vgg16", "VGG16", vgg{2, 2, 3, 3, 3})
	add("vgg11", "", vgg{1, 1, 2, 2, 2})
	add("vgg13", "", vgg{2, 2, 2, 2, 2})
	add("vgg19", "", vgg{2, 2, 4, 4, 4})
}
