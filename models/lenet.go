package models

import "github.com/reidbench/reidbench/models/graph"

func init() {
	register(Model{Name: "lenet", Family: CNN, Input: graph.Shape{H: 32, W: 32, C: 3}, Build: leNet})
}

// leNet is LeNet-5 (LeCun et al. 1998) after the note: its printed code leaves out the two pools
// that its text names and that the linear layer's size needs. Like the code, it has no activations.
func leNet(b *graph.Builder, classes int) (features, logits *graph.Node) {
	pool := graph.MaxPool{Kernel: graph.Square(2)}
	x := b.Conv("features.0", b.Input(), graph.Conv{Out: 6, Kernel: graph.Square(5), Bias: true})
	x = b.Op("features.1", pool, x)
	x = b.Conv("features.2", x, graph.Conv{Out: 16, Kernel: graph.Square(5), Bias: true})
	x = b.Op("features.3", pool, x)
	x = b.Op("flatten", graph.Flatten{}, x)
	x = b.Linear("classifier.0", x, 120)
	features = b.Linear("classifier.1", x, 84)
	return features, b.Linear("classifier.2", features, classes)
}
