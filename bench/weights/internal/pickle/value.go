package pickle

import (
	"fmt"
	"math/big"
)

// What a pickle decodes to: nil, bool, int64, *big.Int, float64, string, Tuple, *List, *Dict, Inert, and whatever the
// Host answers for names, calls and persistent ids. Lists and dictionaries are pointers because a pickle may fill one
// after it has been referred to, and may even put it into itself: whoever walks over values bounds the depth.

// Inert is a value that is nothing but there, by the Python name of what made it: bytes, a set, or an object whose name
// the Host takes for an Inert. Nothing is called, built or kept for it; what a pickle puts into it is dropped.
type Inert string

func (i Inert) String() string { return string(i) }

// Tuple is Python's tuple.
type Tuple []any

// List is Python's list.
type List struct{ Items []any }

// Dict is Python's dict or OrderedDict: keys in the order of their insertion, each once.
type Dict struct {
	keys, values []any
	index        map[any]int
	odd          string
}

// OddKey is the type of a key that is none of those that Keys has, whose entry is dropped; "" if there was none.
func (d *Dict) OddKey() string { return d.odd }

// Keys in the order of their insertion: nil, bool, int64, float64 or string. Not to be changed.
func (d *Dict) Keys() []any { return d.keys }

// Get looks a key up.
func (d *Dict) Get(key any) (value any, ok bool) {
	i, ok := d.index[key]
	if !ok {
		return nil, false
	}
	return d.values[i], true
}

// Set adds an entry. A key that is there already is an error: no pickler writes one twice, and two readers of such a
// file could see different values.
func (d *Dict) Set(key, value any) error {
	switch key.(type) {
	case nil, bool, int64, float64, string:
	case Tuple, Inert, *big.Int:
		d.odd = TypeName(key)
		return nil
	default:
		return fmt.Errorf("key of type %s: %w", TypeName(key), ErrRefused)
	}
	if _, ok := d.index[key]; ok {
		return fmt.Errorf("duplicate key %#v", key)
	}
	if d.index == nil {
		d.index = make(map[any]int)
	}
	d.index[key] = len(d.keys)
	d.keys = append(d.keys, key)
	d.values = append(d.values, value)
	return nil
}

// TypeName is the Python name of a decoded value's type.
func TypeName(v any) string {
	switch v.(type) {
	case nil:
		return "None"
	case bool:
		return "bool"
	case int64, *big.Int:
		return "int"
	case float64:
		return "float"
	case string:
		return "str"
	case Tuple:
		return "tuple"
	case *List:
		return "list"
	case *Dict:
		return "dict"
	case fmt.Stringer:
		return v.(fmt.Stringer).String()
	}
	return fmt.Sprintf("%T", v)
}
