package models

import "github.com/reidbench/reidbench/models/graph"

func init() {
	register(Model{Name: "alexnet", Row: "AlexNet", Family: CNN, Input: PersonImage, Build: alexNet})
}

// alexNet is torchvision's AlexNet (Krizhevsky 2014, "One weird trick").
func alexNet(b *graph.Builder, classes int) (features, logits *graph.Node) {
	pool := graph.MaxPool{Kernel: graph.Square(3), Stride: graph.Square(2)}
	stem := graph.Conv{Out: 64, Kernel: graph.Square(11), Stride: graph.Square(4), Pad: graph.Square(2)}

	x := b.Conv("features.0", b.Input(), biased(stem))
	x = b.ReLU("features.1", x)
	x = b.Op("features.2", pool, x)
	x = b.Conv("features.3", x, biased(conv(192, 5, 1)))
	x = b.ReLU("features.4", x)
	x = b.Op("features.5", pool, x)
	x = b.Conv("features.6", x, biased(conv(384, 3, 1)))
	x = b.ReLU("features.7", x)
	x = b.Conv("features.8", x, biased(conv(256, 3, 1)))
	x = b.ReLU("features.9", x)
	x = b.Conv("features.10", x, biased(conv(256, 3, 1)))
	x = b.ReLU("features.11", x)
	x = b.Op("features.12", pool, x)

	x = b.Op("avgpool", graph.AdaptiveAvgPool{Out: graph.Square(6)}, x)
	x = b.Op("flatten", graph.Flatten{}, x)
	x = dropout(b, "classifier.0", x, 0.5)
	x = b.Linear("classifier.1", x, 4096)
	x = b.ReLU("classifier.2", x)
	x = dropout(b, "classifier.3", x, 0.5)
	x = b.Linear("classifier.4", x, 4096)
	// The note's code prints classifier[:2] here, but its table has the costs of classifier[:-1]:
	// the embedding is the input of the last linear layer, as in its VGG.
	features = b.ReLU("classifier.5", x)
	return features, b.Linear("classifier.6", features, classes)
}
