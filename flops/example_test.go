package flops_test

import (
	"fmt"
	"log"

	"github.com/reidbench/reidbench/flops"
	"github.com/reidbench/reidbench/models"
)

// The cost of ResNet50 without its classifier, and the stages that it is spent in.
func ExampleCount() {
	m, err := models.Lookup("resnet50")
	if err != nil {
		log.Fatal(err)
	}
	g, err := m.Graph(flops.IdentityCount)
	if err != nil {
		log.Fatal(err)
	}
	count, err := flops.Count(g)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("exact: %d params, %d MACs\n", count.Total.Params, count.Total.MACs())
	fmt.Printf("as published: %d params, %d MACs\n", count.Total.PaperParams, count.Total.PaperMACs)
	for _, s := range count.Stages() {
		fmt.Println(s.Name, s.Shape, s.Cost.MACs())
	}
	// Output:
	// exact: 23508032 params, 2669150208 MACs
	// as published: 23508032 params, 2683734016 MACs
	// conv1 128×64×64 77070336
	// layer1 64×32×256 436207616
	// layer2 32×16×512 671088640
	// layer3 16×8×1024 956301312
	// layer4 8×4×2048 528482304
	// classifier 751 1538048
}
