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

func init() {
	add := func(name, row string, v vgg) {
		register(Model{Name: name, Row: row, Family: CNN, Input: PersonImage, Build: v.build})
	}
	add("vgg16", "VGG16", vgg{2, 2, 3, 3, 3})
	add("vgg11", "", vgg{1, 1, 2, 2, 2})
	add("vgg13", "", vgg{2, 2, 2, 2, 2})
	add("vgg19", "", vgg{2, 2, 4, 4, 4})
}
