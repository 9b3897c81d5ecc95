// Package pickle reads Python's pickle format (protocols 2 to 5, as described in CPython's Lib/pickletools.py) without
// running anything: plain data becomes Go values, and every name, call and persistent object goes through a Host, which
// answers for the few that it knows. What it takes for an [Inert] is passed over, whatever is done with it. Opcodes
// that none of these protocols' picklers needs are refused.
package pickle

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// ErrRefused marks what a pickle may say, but not here: an opcode, a name, a call.
var ErrRefused = errors.New("refused")

// Host gives meaning to what is not plain data. Its errors end the decoding; those that refuse wrap ErrRefused.
type Host interface {
	Global(module, name string) (any, error)    // what a name stands for
	Call(callable any, args Tuple) (any, error) // callable is something that Global has answered, or any other value
	Build(object, state any) error              // gives an object its attributes, other than a dictionary
	Persistent(id any) (any, error)             // an object that lies outside of the pickle
}

// Plain is the Host that knows nothing.
type Plain struct{}

// Global refuses every name.
func (Plain) Global(module, name string) (any, error) {
	return nil, fmt.Errorf("name %s.%s: %w", module, name, ErrRefused)
}

// Call refuses every call.
func (Plain) Call(callable any, _ Tuple) (any, error) {
	return nil, fmt.Errorf("calling %s: %w", TypeName(callable), ErrRefused)
}

// Build refuses every state.
func (Plain) Build(object, _ any) error {
	return fmt.Errorf("setting the state of a %s: %w", TypeName(object), ErrRefused)
}

// Persistent refuses every object outside of the pickle.
func (Plain) Persistent(any) (any, error) {
	return nil, fmt.Errorf("persistent object: %w", ErrRefused)
}

// maxSteps bounds the opcodes of one Decoder, and with them the values that exist at a time: some five times what a
// checkpoint of 3,000 tensors with Adam's moments has.
const maxSteps = 1 << 21

// Decoder reads one or more pickles that follow each other.
type Decoder struct {
	r        *bufio.Reader
	limit    int64
	consumed int64
	steps    int

	host  Host
	stack []any
	marks []int // heights of the stack where a MARK lies
	memo  map[uint32]any
}

// NewDecoder reads from r, and at most limit bytes in all.
func NewDecoder(r io.Reader, limit int64) *Decoder {
	return &Decoder{r: bufio.NewReader(r), limit: limit}
}

// Consumed is how many bytes the pickles that have been decoded take.
func (d *Decoder) Consumed() int64 { return d.consumed }

// Decode reads one pickle. Errors name the opcode and its place.
func (d *Decoder) Decode(h Host) (any, error) {
	d.host, d.stack, d.marks, d.memo = h, nil, nil, make(map[uint32]any)
	for {
		at := d.consumed
		b, err := d.byte()
		if err != nil {
			return nil, fmt.Errorf("pickle at byte %d: %w", at, err)
		}
		op := opcode(b)
		if d.steps++; d.steps > maxSteps {
			return nil, fmt.Errorf("pickle at byte %d: more than %d opcodes", at, maxSteps)
		}
		if op == opStop {
			v, err := d.pop()
			if err == nil && len(d.stack)+len(d.marks) > 0 {
				err = errors.New("values are left over")
			}
			if err != nil {
				return nil, fmt.Errorf("pickle opcode %v at byte %d: %w", op, at, err)
			}
			return v, nil
		}
		if err := d.step(op); err != nil {
			return nil, fmt.Errorf("pickle opcode %v at byte %d: %w", op, at, err)
		}
	}
}

func (d *Decoder) step(op opcode) error {
	switch op {
	case opProto:
		n, err := d.byte()
		if err == nil && (n < 2 || n > 5) {
			return fmt.Errorf("protocol %d: %w", n, ErrRefused)
		}
		return err
	case opFrame: // the length of what follows, for readers that fetch ahead
		_, err := d.bytes(8)
		return err

	case opNone:
		return d.push(nil)
	case opTrue:
		return d.push(true)
	case opFalse:
		return d.push(false)
	case opInt1:
		return d.integer(1)
	case opInt2:
		return d.integer(2)
	case opInt4:
		return d.integer(4)
	case opLong1:
		return d.long()
	case opFloat:
		p, err := d.bytes(8)
		if err != nil {
			return err
		}
		return d.push(math.Float64frombits(binary.BigEndian.Uint64(p)))
	case opShortString, opShortUnicode:
		return d.text(op, 1)
	case opString, opUnicode:
		return d.text(op, 4)
	case opUnicode8:
		return d.text(op, 8)
	case opShortBytes:
		return d.skip("bytes", 1)
	case opBytes:
		return d.skip("bytes", 4)
	case opBytes8:
		return d.skip("bytes", 8)
	case opByteArray8:
		return d.skip("bytearray", 8)
	case opLong4:
		return d.skip("int", 4)

	case opEmptyTuple:
		return d.push(Tuple{})
	case opTuple1:
		return d.tuple(1)
	case opTuple2:
		return d.tuple(2)
	case opTuple3:
		return d.tuple(3)
	case opTuple:
		items, err := d.popMark()
		if err != nil {
			return err
		}
		return d.push(Tuple(items))
	case opEmptyList:
		return d.push(new(List))
	case opAppend:
		item, err := d.popN(1)
		if err != nil {
			return err
		}
		return d.extend(item)
	case opAppends:
		items, err := d.popMark()
		if err != nil {
			return err
		}
		return d.extend(items)
	case opEmptyDict:
		return d.push(new(Dict))
	case opSetItem:
		pair, err := d.popN(2)
		if err != nil {
			return err
		}
		return d.update(pair)
	case opSetItems:
		pairs, err := d.popMark()
		if err != nil {
			return err
		}
		return d.update(pairs)

	case opEmptySet:
		return d.push(Inert("set"))
	case opFrozenSet:
		if _, err := d.popMark(); err != nil {
			return err
		}
		return d.push(Inert("frozenset"))
	case opAddItems:
		return d.addItems()

	case opPop:
		_, err := d.pop()
		return err
	case opPopMark:
		_, err := d.popMark()
		return err
	case opDuplicate:
		v, err := d.top()
		if err != nil {
			return err
		}
		return d.push(v)
	case opMark:
		d.marks = append(d.marks, len(d.stack))
		return nil
	case opPut1, opPut4, opMemoize:
		return d.remember(op)
	case opGet1, opGet4:
		return d.recall(op)

	case opGlobal, opStackGlobal:
		return d.global(op)
	case opReduce, opNewObject:
		pair, err := d.popN(2)
		if err != nil {
			return err
		}
		return d.call(pair[0], pair[1])
	case opNewObjectEx: // with arguments that have names, which nothing that is known takes
		three, err := d.popN(3)
		if err != nil {
			return err
		}
		inert, ok := three[0].(Inert)
		if !ok {
			return fmt.Errorf("a new %s with named arguments: %w", TypeName(three[0]), ErrRefused)
		}
		return d.push(inert)
	case opBuild:
		return d.build()
	case opPersistent:
		id, err := d.pop()
		if err != nil {
			return err
		}
		v, err := d.host.Persistent(id)
		if err != nil {
			return err
		}
		return d.push(v)
	}
	return ErrRefused
}
