package tensorboard

import (
	"math"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// Numbers of fields, by tensorboard/compat/proto/event.proto and summary.proto.
const (
	eventWallTime    protowire.Number = 1 // double, seconds since 1970
	eventStep        protowire.Number = 2
	eventFileVersion protowire.Number = 3
	eventSummary     protowire.Number = 5
	eventSessionLog  protowire.Number = 7

	sessionStatus protowire.Number = 1

	summaryValue protowire.Number = 1

	valueTag    protowire.Number = 1
	valueSimple protowire.Number = 2 // float
)

// fileVersion is what the first event of a file says.
const fileVersion = "brain.Event:2"

// sessionStart is SessionLog.START. The second and every later one of a run has TensorBoard forget the events from its
// step on.
const sessionStart = 1

// A scalar is a point of the curve that its tag names.
type scalar struct {
	tag   string
	value float64
}

// appendEvent appends the fields that all events have.
func appendEvent(to []byte, at time.Time, step int) []byte {
	to = protowire.AppendTag(to, eventWallTime, protowire.Fixed64Type)
	to = protowire.AppendFixed64(to, math.Float64bits(float64(at.UnixMicro())/1e6))
	to = protowire.AppendTag(to, eventStep, protowire.VarintType)
	return protowire.AppendVarint(to, uint64(step))
}

// versionEvent is the first event of a file.
func versionEvent(at time.Time) []byte {
	to := appendEvent(nil, at, 0)
	to = protowire.AppendTag(to, eventFileVersion, protowire.BytesType)
	return protowire.AppendString(to, fileVersion)
}

// startEvent says that what follows begins at step.
func startEvent(at time.Time, step int) []byte {
	status := protowire.AppendVarint(protowire.AppendTag(nil, sessionStatus, protowire.VarintType), sessionStart)
	to := appendEvent(nil, at, step)
	to = protowire.AppendTag(to, eventSessionLog, protowire.BytesType)
	return protowire.AppendBytes(to, status)
}

// scalarsEvent has points of several curves at one step.
func scalarsEvent(at time.Time, step int, scalars []scalar) []byte {
	var summary []byte
	for _, s := range scalars {
		value := protowire.AppendString(protowire.AppendTag(nil, valueTag, protowire.BytesType), s.tag)
		value = protowire.AppendTag(value, valueSimple, protowire.Fixed32Type)
		value = protowire.AppendFixed32(value, math.Float32bits(float32(s.value)))
		summary = protowire.AppendBytes(protowire.AppendTag(summary, summaryValue, protowire.BytesType), value)
	}
	to := appendEvent(nil, at, step)
	to = protowire.AppendTag(to, eventSummary, protowire.BytesType)
	return protowire.AppendBytes(to, summary)
}

// What an event is about.
type eventKind int

const (
	otherEvent eventKind = iota
	started
	summarised
)

// parseEvent returns an event's step and kind.
func parseEvent(data []byte) (step int, kind eventKind, err error) {
	for len(data) > 0 {
		number, wire, n := protowire.ConsumeTag(data)
		if n < 0 {
			return 0, 0, errTorn
		}
		data = data[n:]
		switch number {
		case eventSummary:
			kind = summarised
		case eventSessionLog:
			kind = started
		}
		if number == eventStep && wire == protowire.VarintType {
			var value uint64
			if value, n = protowire.ConsumeVarint(data); n >= 0 {
				step = int(value)
			}
		} else {
			n = protowire.ConsumeFieldValue(number, wire, data)
		}
		if n < 0 {
			return 0, 0, errTorn
		}
		data = data[n:]
	}
	return step, kind, nil
}
