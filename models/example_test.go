package models_test

import (
	"fmt"
	"log"

	"github.com/reidbench/reidbench/flops"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/models/graph"
)

// A registered model is found by any of its names, in upper or lower case.
func ExampleLookup() {
	m, err := models.Lookup("osnet_x1_0")
	if err != nil {
		log.Fatal(err)
	}
	g, err := m.Graph(751) // the training identities of Market-1501
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Name, g.Input.Shape, g.Features.Shape, g.Logits.Shape)
	fmt.Println(g.Params[0].Name, g.Params[0].Shape)
	// Output:
	// osnet 256×128×3 512 751
	// conv.0.weight [64 3 7 7]
}

// A network of one's own is a Model as well: a function that appends layers to a graph.
func ExampleModel() {
	tiny := models.Model{
		Name: "tiny", Family: models.CNN, Input: models.PersonImage,
		Build: func(b *graph.Builder, classes int) (features, logits *graph.Node) {
			conv := graph.Conv{Out: 32, Kernel: graph.Square(3), Stride: graph.Square(2), Pad: graph.Square(1)}
			x := b.ReLU("relu", b.BatchNorm("bn1", b.Conv("conv1", b.Input(), conv)))
			features = b.Op("flatten", graph.Flatten{}, b.GlobalAvgPool("avgpool", x))
			return features, b.Linear("classifier", features, classes)
		},
	}
	g, err := tiny.Graph(10)
	if err != nil {
		log.Fatal(err)
	}
	for _, n := range g.Nodes {
		fmt.Println(n.Name, n.Shape)
	}
	count, err := flops.Count(g)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(count.Total.Params, "params,", count.Total.MACs(), "MACs")
	// Output:
	// input 256×128×3
	// conv1 128×64×32
	// bn1 128×64×32
	// relu 128×64×32
	// avgpool 32
	// flatten 32
	// classifier 10
	// 928 params, 7077888 MACs
}
