package onnx

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Opset is the version of the operators.
const Opset = 17

// irVersion is the version of the format that came with it.
const irVersion = 8

// Batch stands among dimensions for the number of images, which is left open.
const Batch = -1

// A Type is what elements are: TensorProto.DataType.
type Type int

// The types in use.
const (
	Float32 Type = 1
	Uint8   Type = 2
	Int64   Type = 7
)

func (t Type) String() string {
	switch t {
	case Float32:
		return "float32"
	case Uint8:
		return "uint8"
	case Int64:
		return "int64"
	}
	return fmt.Sprintf("Type(%d)", int(t))
}

// size is the number of bytes of an element.
func (t Type) size() int {
	switch t {
	case Float32:
		return 4
	case Int64:
		return 8
	}
	return 1
}

// A Value is what goes into a model, or comes out.
type Value struct {
	Name string
	Type Type
	Dims []int // Batch: left open
	Doc  string
}

// A Model is a network as ONNX.
type Model struct {
	Name     string
	Producer Producer
	Metadata []Entry // in the order in which they are written
	Input    Value   // "images"
	Output   Value   // "embeddings", [batch, C]

	nodes   []*node
	tensors []*tensor
}

// Producer is the program that writes a model.
type Producer struct{ Name, Version string }

// An Entry is a line of a model's metadata.
type Entry struct{ Key, Value string }

// Operations is their number in a model.
func (m *Model) Operations() int { return len(m.nodes) }

// A node is one operation: NodeProto.
type node struct {
	name, operator  string
	inputs, outputs []string // "" is an input that is left out
	attributes      []attribute
}

// An attribute is a float32, an int, a string or a list of int by its name.
type attribute struct {
	name  string
	value any
}

// A tensor is a constant: TensorProto. Its bytes are made when their turn comes, so that those of one at a time are in
// memory.
type tensor struct {
	name  string
	kind  Type
	dims  []int
	bytes func() []byte // little endian, the last dimension fastest
}

// size is the number of its bytes.
func (t *tensor) size() int {
	n := t.kind.size()
	for _, d := range t.dims {
		n *= d
	}
	return n
}

func floatBytes(values []float32) []byte {
	bytes := make([]byte, 0, 4*len(values))
	for _, v := range values {
		bytes = binary.LittleEndian.AppendUint32(bytes, math.Float32bits(v))
	}
	return bytes
}

func integerBytes(values []int) []byte {
	bytes := make([]byte, 0, 8*len(values))
	for _, v := range values {
		bytes = binary.LittleEndian.AppendUint64(bytes, uint64(v))
	}
	return bytes
}
