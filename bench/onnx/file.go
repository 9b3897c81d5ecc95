package onnx

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"github.com/reidbench/reidbench/results/atomicfile"
)

const (
	// largest is what a protobuf message may have in bytes. A larger model leaves its tensors to a file beside it.
	largest = math.MaxInt32
	// page is what tensors in that file are aligned to, so that they can be mapped into memory.
	page = 4096
	// leastBeside is the size of the smallest tensor that goes there: runtimes read shapes and the like from the model.
	leastBeside = 1024
)

// WriteFile writes the model and returns the paths of the files that it has made: path and, if that would be larger
// than a protobuf message may be, 2 GiB, path.data with the tensors, which belongs beside it. Each appears whole or not
// at all; a model that was there before is gone before it could meet the tensors of another.
func (m *Model) WriteFile(path string) ([]string, error) { return m.writeFile(path, largest) }

func (m *Model) writeFile(path string, limit int) ([]string, error) {
	whole := m.encode("")
	if whole.size() <= limit {
		return []string{path}, atomicfile.Write(path, whole.writeTo)
	}
	beside := path + ".data"
	parted := m.encode(filepath.Base(beside))
	if parted.size() > limit {
		return nil, fmt.Errorf("write %s: %d bytes without its tensors, more than protobuf allows", path, parted.size())
	}
	err := atomicfile.Write(beside, func(w io.Writer) error {
		if err := parted.writeBeside(w); err != nil {
			return err
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return []string{path, beside}, atomicfile.Write(path, parted.writeTo)
}

// An encoding is a model in bytes: pieces, some followed by the values of a tensor.
type encoding struct {
	pieces []piece
	beside []*tensor // that are in the file beside it, in their order
}

type piece struct {
	bytes  message
	values *tensor // nil: none
}

// encode is the ModelProto. Tensors are in a file beside it if that has a name.
func (m *Model) encode(beside string) *encoding {
	e := &encoding{}
	graph := m.encodeGraph(e, beside)

	var head, tail message
	head.integer(1, irVersion)
	head.text(2, m.Producer.Name)
	head.text(3, m.Producer.Version)
	head.prefix(7, graph.size())
	var operators message
	operators.integer(2, Opset)
	tail.message(8, operators)
	for _, entry := range m.Metadata {
		tail.pair(14, entry.Key, entry.Value)
	}
	e.pieces = append([]piece{{bytes: head}}, graph.pieces...)
	e.pieces = append(e.pieces, piece{bytes: tail})
	return e
}

// encodeGraph is the GraphProto. What is to be beside it is noted in e.
func (m *Model) encodeGraph(e *encoding, beside string) *encoding {
	graph := &encoding{}
	var b message
	for _, n := range m.nodes {
		b.message(1, n.encode())
	}
	b.text(2, m.Name)
	offset := 0
	for _, t := range m.tensors {
		head := t.head()
		if beside != "" && t.size() >= leastBeside {
			offset = (offset + page - 1) / page * page
			head.pair(13, "location", beside)
			head.pair(13, "offset", strconv.Itoa(offset))
			head.pair(13, "length", strconv.Itoa(t.size()))
			head.integer(14, 1) // EXTERNAL
			b.message(5, head)
			offset += t.size()
			e.beside = append(e.beside, t)
			continue
		}
		head.prefix(9, t.size())
		b.prefix(5, len(head)+t.size())
		graph.pieces = append(graph.pieces, piece{append(b, head...), t})
		b = nil
	}
	b.message(11, m.Input.encode())
	b.message(12, m.Output.encode())
	graph.pieces = append(graph.pieces, piece{bytes: b})
	return graph
}

func (e *encoding) size() int {
	total := 0
	for _, p := range e.pieces {
		total += len(p.bytes)
		if p.values != nil {
			total += p.values.size()
		}
	}
	return total
}

func (e *encoding) writeTo(w io.Writer) error {
	for _, p := range e.pieces {
		if _, err := w.Write(p.bytes); err != nil {
			return err
		}
		if p.values != nil {
			if err := p.values.writeTo(w); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeBeside writes the file of tensors.
func (e *encoding) writeBeside(w io.Writer) error {
	gap, offset := make([]byte, page), 0
	for _, t := range e.beside {
		if _, err := w.Write(gap[:-offset&(page-1)]); err != nil {
			return err
		}
		if err := t.writeTo(w); err != nil {
			return err
		}
		offset += -offset&(page-1) + t.size()
	}
	return nil
}

func (t *tensor) writeTo(w io.Writer) error {
	bytes := t.bytes()
	if len(bytes) != t.size() {
		return fmt.Errorf("tensor %s has %d bytes, its shape %v says %d", t.name, len(bytes), t.dims, t.size())
	}
	_, err := w.Write(bytes)
	return err
}
