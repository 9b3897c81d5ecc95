package models

import (
	"fmt"
	"strings"
)

// A Variant is in what a model's network departs from the published one. The zero value departs in nothing.
type Variant struct {
	Neck       bool // a batch norm between features and classifier, see [graph.Builder.Neck]
	LastStride int  // 1: as [graph.Builder.WithoutLastStride] has it; 0: as published
	Input      ImageSize
}

// String names the departures as the flags are called that ask for them, "" if there are none.
func (v Variant) String() string {
	var departures []string
	if v.LastStride != 0 {
		departures = append(departures, fmt.Sprintf("last-stride=%d", v.LastStride))
	}
	if v.Neck {
		departures = append(departures, "bnneck")
	}
	if v.Input != (ImageSize{}) {
		departures = append(departures, fmt.Sprintf("input-size=%v", v.Input))
	}
	return strings.Join(departures, ",")
}

// As is the model with its network as v has it.
func (m Model) As(v Variant) Model {
	m.variant = v
	return m
}

// Variant is in what the model's network departs from the published one.
func (m Model) Variant() Variant { return m.variant }
