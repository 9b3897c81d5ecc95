package tensorboard

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"
	"os"
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// point is a value of a curve as TensorBoard has it.
type point struct {
	Step  int
	Value float32
}

// read is an event as a reader that knows nothing of this package's code finds it in a file.
type read struct {
	wall    float64
	step    int
	version string
	start   bool
	scalars map[string]float32
}

// readFile reads an event file by the formats' descriptions, and fails the test at the first checksum that is wrong.
func readFile(t *testing.T, path string) []read {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var events []read
	for len(data) > 0 {
		size := binary.LittleEndian.Uint64(data)
		for _, part := range [][]byte{data[:12], data[12 : 12+size+4]} {
			content, sum := part[:len(part)-4], binary.LittleEndian.Uint32(part[len(part)-4:])
			// crc32c.h: Unmask rotates back what is left without the constant.
			rotated := sum - 0xa282ead8
			if got := crc32.Checksum(content, crc32.MakeTable(crc32.Castagnoli)); got != rotated>>17|rotated<<15 {
				t.Fatalf("%s, event %d: the checksum of %d bytes is wrong", path, len(events), len(content))
			}
		}
		events = append(events, decodeEvent(data[12:12+size]))
		data = data[12+size+4:]
	}
	return events
}

func decodeEvent(data []byte) read {
	var e read
	for _, f := range fields(data) {
		switch f.number {
		case 1:
			e.wall = math.Float64frombits(f.value)
		case 2:
			e.step = int(f.value)
		case 3:
			e.version = string(f.content)
		case 5:
			e.scalars = map[string]float32{}
			for _, value := range fields(f.content) {
				of := fields(value.content)
				e.scalars[string(of[0].content)] = math.Float32frombits(uint32(of[1].value))
			}
		case 7:
			e.start = bytes.Equal(f.content, []byte{1<<3 | 0, 1})
		}
	}
	return e
}

type field struct {
	number  protowire.Number
	value   uint64
	content []byte
}

func fields(data []byte) []field {
	var all []field
	for len(data) > 0 {
		number, kind, n := protowire.ConsumeTag(data)
		data = data[n:]
		f := field{number: number}
		switch kind {
		case protowire.VarintType:
			f.value, n = protowire.ConsumeVarint(data)
		case protowire.Fixed64Type:
			f.value, n = protowire.ConsumeFixed64(data)
		case protowire.Fixed32Type:
			var v uint32
			v, n = protowire.ConsumeFixed32(data)
			f.value = uint64(v)
		case protowire.BytesType:
			f.content, n = protowire.ConsumeBytes(data)
		}
		all, data = append(all, f), data[n:]
	}
	return all
}

// curves are the points that TensorBoard shows of files, read in this order. Both of its readers are imitated: that in
// Python drops all points from the step of a SessionLog.START on, but for the first of a run
// (plugin_event_accumulator.py, _CheckForRestartAndMaybePurge); that in Rust drops a curve's points from the step of
// its next one on (reservoir.rs, preempt).
func curves(t *testing.T, files []string) (inPython, inRust map[string][]point) {
	t.Helper()
	inPython, inRust = map[string][]point{}, map[string][]point{}
	seen := false
	for _, file := range files {
		for _, e := range readFile(t, file) {
			from := func(p point) bool { return p.Step >= e.step }
			if e.start && seen {
				for tag := range inPython {
					inPython[tag] = slices.DeleteFunc(inPython[tag], from)
				}
			}
			seen = seen || e.start
			for tag, value := range e.scalars {
				inPython[tag] = append(inPython[tag], point{e.step, value})
				inRust[tag] = append(slices.DeleteFunc(inRust[tag], from), point{e.step, value})
			}
		}
	}
	return inPython, inRust
}
