package onnx

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// A field of a message: a number, or bytes.
type field struct {
	number uint64
	bytes  []byte
}

// fields are a message's, by their number.
type fields map[protowire.Number][]field

func parseMessage(t *testing.T, b []byte) fields {
	t.Helper()
	all := fields{}
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		b = b[n:]
		var f field
		switch kind {
		case protowire.VarintType:
			f.number, n = protowire.ConsumeVarint(b)
		case protowire.Fixed32Type:
			var v uint32
			v, n = protowire.ConsumeFixed32(b)
			f.number = uint64(v)
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(b)
		default:
			t.Fatalf("field %d has the wire type %d", number, kind)
		}
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		b = b[n:]
		all[number] = append(all[number], f)
	}
	return all
}

// one is a field that comes once, or an empty one.
func (f fields) one(t *testing.T, number protowire.Number) field {
	t.Helper()
	switch list := f[number]; len(list) {
	case 0:
		return field{}
	case 1:
		return list[0]
	default:
		t.Fatalf("field %d comes %d times", number, len(list))
		return field{}
	}
}

func (f fields) text(t *testing.T, number protowire.Number) string {
	return string(f.one(t, number).bytes)
}

// readModel is what a reader of onnx.proto finds in a file: one line for every part, and the tensors by their names.
type readModel struct {
	head, nodes, tensors []string
	values               map[string][]byte
}

func parseModel(t *testing.T, path string) readModel {
	t.Helper()
	bytes, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m := parseMessage(t, bytes)
	r := readModel{values: map[string][]byte{}}
	r.head = append(r.head, fmt.Sprintf("format %d, by %s %s", m.one(t, 1).number, m.text(t, 2), m.text(t, 3)))
	for _, f := range m[8] {
		operators := parseMessage(t, f.bytes)
		r.head = append(r.head, fmt.Sprintf("operators %q %d", operators.text(t, 1), operators.one(t, 2).number))
	}
	for _, f := range m[14] {
		entry := parseMessage(t, f.bytes)
		r.head = append(r.head, entry.text(t, 1)+": "+entry.text(t, 2))
	}
	graph := parseMessage(t, m.one(t, 7).bytes)
	r.head = append(r.head, "graph "+graph.text(t, 2))
	for number, what := range []string{11: "input", 12: "output"} {
		if what != "" {
			r.head = append(r.head, what+" "+parseValue(t, graph.one(t, protowire.Number(number)).bytes))
		}
	}
	for _, f := range graph[1] {
		r.nodes = append(r.nodes, parseNode(t, f.bytes))
	}
	for _, f := range graph[5] {
		r.readTensor(t, f.bytes, filepath.Dir(path))
	}
	return r
}

// parseValue reads a ValueInfoProto.
func parseValue(t *testing.T, b []byte) string {
	v := parseMessage(t, b)
	tensor := parseMessage(t, parseMessage(t, v.one(t, 2).bytes).one(t, 1).bytes)
	var dims []string
	for _, f := range parseMessage(t, tensor.one(t, 2).bytes)[1] {
		d := parseMessage(t, f.bytes)
		if name := d.text(t, 2); name != "" {
			dims = append(dims, name)
		} else {
			dims = append(dims, fmt.Sprint(d.one(t, 1).number))
		}
	}
	shape := strings.Join(dims, " ")
	return fmt.Sprintf("%s type %d [%s]: %s", v.text(t, 1), tensor.one(t, 1).number, shape, v.text(t, 3))
}

// parseNode reads a NodeProto.
func parseNode(t *testing.T, b []byte) string {
	n := parseMessage(t, b)
	join := func(list []field) string {
		var names []string
		for _, f := range list {
			names = append(names, string(f.bytes))
		}
		return strings.Join(names, ", ")
	}
	text := fmt.Sprintf("%s = %s(%s)", join(n[2]), n.text(t, 4), join(n[1]))
	if name := n.text(t, 3); name != string(n[2][0].bytes) {
		text = name + ": " + text
	}
	for _, f := range n[5] {
		a := parseMessage(t, f.bytes)
		text += " " + a.text(t, 1) + "="
		switch kind := a.one(t, 20).number; kind {
		case 1:
			text += fmt.Sprint(math.Float32frombits(uint32(a.one(t, 2).number)))
		case 2:
			text += fmt.Sprint(int64(a.one(t, 3).number))
		case 3:
			text += a.text(t, 4)
		case 7:
			var list []int64
			for _, i := range a[8] {
				list = append(list, int64(i.number))
			}
			text += strings.ReplaceAll(fmt.Sprint(list), " ", ",")
		default:
			t.Errorf("an attribute of the type %d", kind)
		}
	}
	return text
}

// readTensor reads a TensorProto, and its values wherever they are.
func (r *readModel) readTensor(t *testing.T, b []byte, dir string) {
	m := parseMessage(t, b)
	size, kind := 1, m.one(t, 2).number
	var dims []uint64
	for _, d := range m[1] {
		dims = append(dims, d.number)
		size *= int(d.number)
	}
	bytes := m.one(t, 9).bytes
	if m.one(t, 14).number == 1 { // it is in another file
		at := map[string]string{}
		for _, f := range m[13] {
			entry := parseMessage(t, f.bytes)
			at[entry.text(t, 1)] = entry.text(t, 2)
		}
		offset, err1 := strconv.Atoi(at["offset"])
		length, err2 := strconv.Atoi(at["length"])
		beside, err3 := os.ReadFile(filepath.Join(dir, at["location"]))
		if err1 != nil || err2 != nil || err3 != nil || offset%page != 0 || offset+length > len(beside) {
			t.Fatalf("tensor %s is at %v: %v, %v, %v", m.text(t, 8), at, err1, err2, err3)
		}
		bytes = beside[offset:][:length]
	}
	name := m.text(t, 8)
	if want := size * map[uint64]int{1: 4, 2: 1, 7: 8}[kind]; len(bytes) != want {
		t.Errorf("tensor %s has %d bytes, its shape says %d", name, len(bytes), want)
	}
	if _, twice := r.values[name]; twice {
		t.Errorf("two tensors are called %s", name)
	}
	r.values[name] = bytes
	text := fmt.Sprintf("%s type %d %v", name, kind, dims)
	if kind == 7 {
		var list []int64
		for at := 0; at < len(bytes); at += 8 {
			list = append(list, int64(binary.LittleEndian.Uint64(bytes[at:])))
		}
		text += fmt.Sprintf(" = %v", list)
	}
	r.tensors = append(r.tensors, text)
}
