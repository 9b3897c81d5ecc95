// Package tinymodel has models for tests that train in milliseconds, and two that fail.
package tinymodel

import (
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/models/graph"
)

// New returns a network of two convolutions with what makes training depend on its state:
// running statistics and dropout masks.
func New(name string) models.Model {
	return models.Model{
		Name: name, Family: models.CNN, Input: graph.Shape{H: 32, W: 16, C: 3},
		Build: func(b *graph.Builder, classes int) (features, logits *graph.Node) {
			x := b.Input()
			for i, width := range []int{8, 16} {
				layer := string(rune('a' + i))
				x = b.Conv(layer+".conv", x, graph.Conv{
					Out: width, Kernel: graph.Square(3), Stride: graph.Square(2), Pad: graph.Square(1),
				})
				x = b.BatchNorm(layer+".bn", x)
				x = b.ReLU(layer+".relu", x)
			}
			x = b.Op("flatten", graph.Flatten{}, b.GlobalAvgPool("pool", x))
			x = b.Op("dropout", graph.Dropout{P: 0.2}, x)
			return x, b.Linear("classifier", x, classes)
		},
	}
}

// Distilled returns a tiny model that learns from a teacher.
func Distilled(name string, kind models.Distillation) models.Model {
	m := New(name)
	m.Distill = kind
	return m
}

// Exploding returns a tiny model whose logits are infinite.
func Exploding(name string) models.Model {
	m := New(name)
	build := m.Build
	m.Build = func(b *graph.Builder, classes int) (features, logits *graph.Node) {
		x, _ := build(b, classes)
		for _, again := range []string{"once", "twice"} {
			x = b.Op(again, graph.Scale{Factor: 1e38}, x)
		}
		return x, b.Linear("exploding", x, classes)
	}
	return m
}

// Unbuildable returns a model whose function panics.
func Unbuildable(name string) models.Model {
	m := New(name)
	m.Build = func(*graph.Builder, int) (features, logits *graph.Node) { panic("no such layer") }
	return m
}
