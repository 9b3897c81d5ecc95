// Package pickle reads Python's pickle format (protocols 2 to 5, as described in CPython's Lib/pickletools.py) without
// running anything: plain data becomes Go values, and every name, call and persistent object goes through a Host, which
// answers for the few that it knows. Opcodes that plain data doesn't need are refused.
package pickle

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"unicode/utf8"
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
		return d.text(1)
	case opString, opUnicode:
		return d.text(4)

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
		args, ok := pair[1].(Tuple)
		if !ok {
			return fmt.Errorf("arguments are a %s", TypeName(pair[1]))
		}
		v, err := d.host.Call(pair[0], args)
		if err != nil {
			return err
		}
		return d.push(v)
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

func (d *Decoder) byte() (byte, error) {
	if d.consumed >= d.limit {
		return 0, d.beyond(1)
	}
	b, err := d.r.ReadByte()
	if err != nil {
		return 0, unexpected(err)
	}
	d.consumed++
	return b, nil
}

func (d *Decoder) beyond(n int64) error {
	return fmt.Errorf("%d more bytes go beyond the limit of %d: %w", n, d.limit, io.ErrUnexpectedEOF)
}

// unexpected: wherever a pickle ends without STOP, it has been cut.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// bytes takes the next n bytes. Nothing of more than a buffer's size is allocated before the bytes have been there.
func (d *Decoder) bytes(n int64) ([]byte, error) {
	if n > d.limit-d.consumed {
		return nil, d.beyond(n)
	}
	var p []byte
	for left := n; left > 0; {
		piece := min(left, 4096)
		start := len(p)
		p = append(p, make([]byte, piece)...)
		if _, err := io.ReadFull(d.r, p[start:]); err != nil {
			return nil, unexpected(err)
		}
		left -= piece
	}
	d.consumed += n
	return p, nil
}

// integer reads one or two bytes without a sign, or four with one.
func (d *Decoder) integer(size int64) error {
	p, err := d.bytes(size)
	if err != nil {
		return err
	}
	switch size {
	case 1:
		return d.push(int64(p[0]))
	case 2:
		return d.push(int64(binary.LittleEndian.Uint16(p)))
	default:
		return d.push(int64(int32(binary.LittleEndian.Uint32(p))))
	}
}

// long reads two's complement of up to 255 bytes, little endian.
func (d *Decoder) long() error {
	n, err := d.byte()
	if err != nil {
		return err
	}
	p, err := d.bytes(int64(n))
	if err != nil {
		return err
	}
	v := new(big.Int)
	for i := len(p) - 1; i >= 0; i-- {
		v.Or(v.Lsh(v, 8), big.NewInt(int64(p[i])))
	}
	if n > 0 && p[n-1]&0x80 != 0 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), 8*uint(n)))
	}
	if v.IsInt64() {
		return d.push(v.Int64())
	}
	return d.push(v)
}

// text reads a string after its length, which takes a number of bytes. Python 2's byte strings are taken as text too.
func (d *Decoder) text(lengthBytes int64) error {
	p, err := d.bytes(lengthBytes)
	if err != nil {
		return err
	}
	n := int64(p[0])
	if lengthBytes == 4 {
		n = int64(binary.LittleEndian.Uint32(p))
	}
	p, err = d.bytes(n)
	if err != nil {
		return err
	}
	if !utf8.Valid(p) {
		return errors.New("string is not UTF-8")
	}
	return d.push(string(p))
}

func (d *Decoder) line() (string, error) {
	const longest = 256 // a module's or a name's
	var p []byte
	for {
		b, err := d.byte()
		if err != nil {
			return "", err
		}
		if b == '\n' {
			break
		}
		if p = append(p, b); len(p) > longest {
			return "", fmt.Errorf("name of more than %d bytes", longest)
		}
	}
	if !utf8.Valid(p) {
		return "", errors.New("name is not UTF-8")
	}
	return string(p), nil
}
