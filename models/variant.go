package models

// A Variant is in what a model's network departs from the published one. The zero value departs in nothing.
type Variant struct {
	Neck       bool // a batch norm between features and classifier, see [graph.Builder.Neck]
	LastStride int  // 1: as [graph.Builder.WithoutLastStride] has it; 0: as published
	Input      ImageSize
}

// As is the model with its network as v has it.
func (m Model) As(v Variant) Model {
	m.variant = v
	return m
}
