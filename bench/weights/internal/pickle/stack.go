package pickle

import (
	"encoding/binary"
	"errors"
	"fmt"
)

var errStack = errors.New("too few values on the stack")

func (d *Decoder) push(v any) error {
	d.stack = append(d.stack, v)
	return nil
}

func (d *Decoder) pop() (any, error) {
	items, err := d.popN(1)
	if err != nil {
		return nil, err
	}
	return items[0], nil
}

// popN takes the topmost n values, the deepest first, none from below a mark. They are valid until the next push.
func (d *Decoder) popN(n int) ([]any, error) {
	floor := 0
	if len(d.marks) > 0 {
		floor = d.marks[len(d.marks)-1]
	}
	if len(d.stack)-n < floor {
		return nil, errStack
	}
	items := d.stack[len(d.stack)-n:]
	d.stack = d.stack[:len(d.stack)-n]
	return items, nil
}

// popMark takes the topmost mark with all that lies above it, as a slice of its own.
func (d *Decoder) popMark() ([]any, error) {
	if len(d.marks) == 0 {
		return nil, errors.New("no mark on the stack")
	}
	floor := d.marks[len(d.marks)-1]
	d.marks = d.marks[:len(d.marks)-1]
	items := append([]any(nil), d.stack[floor:]...)
	d.stack = d.stack[:floor]
	return items, nil
}

func (d *Decoder) tuple(n int) error {
	items, err := d.popN(n)
	if err != nil {
		return err
	}
	return d.push(append(Tuple(nil), items...))
}

// top is the container that an opcode fills, which stays where it is.
func (d *Decoder) top() (any, error) {
	v, err := d.pop()
	if err != nil {
		return nil, err
	}
	return v, d.push(v)
}

func (d *Decoder) extend(items []any) error {
	items = append([]any(nil), items...)
	v, err := d.top()
	if err != nil {
		return err
	}
	if _, ok := v.(Inert); ok {
		return nil
	}
	list, ok := v.(*List)
	if !ok {
		return fmt.Errorf("appending to a %s: %w", TypeName(v), ErrRefused)
	}
	list.Items = append(list.Items, items...)
	return nil
}

func (d *Decoder) update(pairs []any) error {
	pairs = append([]any(nil), pairs...)
	v, err := d.top()
	if err != nil {
		return err
	}
	if _, ok := v.(Inert); ok {
		return nil
	}
	dict, ok := v.(*Dict)
	if !ok {
		return fmt.Errorf("setting items of a %s: %w", TypeName(v), ErrRefused)
	}
	if len(pairs)%2 != 0 {
		return errors.New("key without a value")
	}
	for i := 0; i < len(pairs); i += 2 {
		if err := dict.Set(pairs[i], pairs[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// addItems drops what would be in a set.
func (d *Decoder) addItems() error {
	if _, err := d.popMark(); err != nil {
		return err
	}
	v, err := d.top()
	if err != nil {
		return err
	}
	if _, ok := v.(Inert); !ok {
		return fmt.Errorf("adding to a %s: %w", TypeName(v), ErrRefused)
	}
	return nil
}

// call has the Host answer for a call, or for a new object of a class. What is inert is not called.
func (d *Decoder) call(callable, arguments any) error {
	args, ok := arguments.(Tuple)
	if !ok {
		return fmt.Errorf("arguments are a %s", TypeName(arguments))
	}
	if inert, ok := callable.(Inert); ok {
		return d.push(inert)
	}
	v, err := d.host.Call(callable, args)
	if err != nil {
		return err
	}
	return d.push(v)
}

// build drops the attributes of a dictionary: a state dict carries its modules' version numbers there.
func (d *Decoder) build() error {
	state, err := d.pop()
	if err != nil {
		return err
	}
	v, err := d.top()
	if err != nil {
		return err
	}
	switch v.(type) {
	case *Dict, Inert:
		return nil
	}
	return d.host.Build(v, state)
}

func (d *Decoder) global(op opcode) error {
	var names [2]string
	if op == opStackGlobal {
		pair, err := d.popN(2)
		if err != nil {
			return err
		}
		for i, v := range pair {
			s, ok := v.(string)
			if !ok {
				return fmt.Errorf("name is a %s", TypeName(v))
			}
			if len(s) > longestName {
				return errLongName
			}
			names[i] = s
		}
	} else {
		for i := range names {
			s, err := d.line()
			if err != nil {
				return err
			}
			names[i] = s
		}
	}
	v, err := d.host.Global(names[0], names[1])
	if err != nil {
		return err
	}
	return d.push(v)
}

func (d *Decoder) remember(op opcode) error {
	key := uint32(len(d.memo))
	if op != opMemoize {
		var err error
		if key, err = d.memoKey(op == opPut4); err != nil {
			return err
		}
	}
	v, err := d.top()
	if err != nil {
		return err
	}
	d.memo[key] = v
	return nil
}

func (d *Decoder) recall(op opcode) error {
	key, err := d.memoKey(op == opGet4)
	if err != nil {
		return err
	}
	v, ok := d.memo[key]
	if !ok {
		return fmt.Errorf("nothing is remembered as %d", key)
	}
	return d.push(v)
}

func (d *Decoder) memoKey(long bool) (uint32, error) {
	if !long {
		b, err := d.byte()
		return uint32(b), err
	}
	p, err := d.bytes(4)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(p), nil
}
