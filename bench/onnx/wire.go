package onnx

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// A message is a protobuf message in the making. Its methods append fields by their number.
type message []byte

func (m *message) integer(field protowire.Number, v int64) {
	*m = protowire.AppendTag(*m, field, protowire.VarintType)
	*m = protowire.AppendVarint(*m, uint64(v))
}

func (m *message) float(field protowire.Number, v float32) {
	*m = protowire.AppendTag(*m, field, protowire.Fixed32Type)
	*m = protowire.AppendFixed32(*m, math.Float32bits(v))
}

func (m *message) text(field protowire.Number, v string) {
	*m = protowire.AppendTag(*m, field, protowire.BytesType)
	*m = protowire.AppendString(*m, v)
}

func (m *message) message(field protowire.Number, v message) {
	m.prefix(field, len(v))
	*m = append(*m, v...)
}

// prefix begins a field whose bytes are written elsewhere.
func (m *message) prefix(field protowire.Number, size int) {
	*m = protowire.AppendTag(*m, field, protowire.BytesType)
	*m = protowire.AppendVarint(*m, uint64(size))
}

// pair appends a StringStringEntryProto.
func (m *message) pair(field protowire.Number, key, value string) {
	var entry message
	entry.text(1, key)
	entry.text(2, value)
	m.message(field, entry)
}

// Types of attributes, AttributeProto.AttributeType.
const (
	attributeFloat    = 1
	attributeInt      = 2
	attributeString   = 3
	attributeIntegers = 7
)

// encode is the AttributeProto.
func (a attribute) encode() message {
	var m message
	m.text(1, a.name)
	switch v := a.value.(type) {
	case float32:
		m.float(2, v)
		m.integer(20, attributeFloat)
	case int:
		m.integer(3, int64(v))
		m.integer(20, attributeInt)
	case string:
		m.text(4, v)
		m.integer(20, attributeString)
	case []int:
		for _, i := range v {
			m.integer(8, int64(i))
		}
		m.integer(20, attributeIntegers)
	default:
		panic(fmt.Sprintf("onnx: attribute %s of type %T", a.name, a.value))
	}
	return m
}

// encode is the NodeProto.
func (n *node) encode() message {
	var m message
	for _, name := range n.inputs {
		m.text(1, name)
	}
	for _, name := range n.outputs {
		m.text(2, name)
	}
	m.text(3, n.name)
	m.text(4, n.operator)
	for _, a := range n.attributes {
		m.message(5, a.encode())
	}
	return m
}

// encode is the ValueInfoProto.
func (v Value) encode() message {
	var shape message
	for _, d := range v.Dims {
		var dimension message
		if d == Batch {
			dimension.text(2, "batch")
		} else {
			dimension.integer(1, int64(d))
		}
		shape.message(1, dimension)
	}
	var tensorType, valueType, m message
	tensorType.integer(1, int64(v.Type))
	tensorType.message(2, shape)
	valueType.message(1, tensorType)
	m.text(1, v.Name)
	m.message(2, valueType)
	m.text(3, v.Doc)
	return m
}

// head is the TensorProto but for its values.
func (t *tensor) head() message {
	var m message
	for _, d := range t.dims {
		m.integer(1, int64(d))
	}
	m.integer(2, int64(t.kind))
	m.text(8, t.name)
	return m
}
