package safetensors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/reidbench/reidbench/bench/weights/internal/tensor"
)

// entry is one tensor as the header describes it; the place is relative to the header's end.
type entry struct {
	tensor.View
	begin, end int64
}

type header struct {
	metadata map[string]string
	entries  []entry
}

// parseHeader reads the JSON token by token: encoding/json would let duplicate and misspelt keys pass.
func parseHeader(text []byte) (*header, error) {
	if len(text) == 0 || text[0] != '{' {
		return nil, errors.New("doesn't begin with {")
	}
	d := &parser{json.NewDecoder(bytes.NewReader(text))}
	d.UseNumber()
	h := new(header)
	err := d.object(func(name string) error {
		if name == "__metadata__" {
			h.metadata = make(map[string]string)
			return d.object(func(key string) error {
				value, err := d.text()
				h.metadata[key] = value
				return err
			})
		}
		e, err := d.entry()
		e.Name = name
		h.entries = append(h.entries, e)
		return err
	})
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something follows the closing }")
	}
	return h, nil
}

type parser struct{ *json.Decoder }

// object calls member after each key; a key that comes twice is an error.
func (d *parser) object(member func(key string) error) error {
	if err := d.delim('{'); err != nil {
		return err
	}
	seen := make(map[string]bool)
	for d.More() {
		key, err := d.text()
		if err != nil {
			return err
		}
		if len(key) > tensor.LongestName {
			return fmt.Errorf("key of %d bytes", len(key))
		}
		if seen[key] {
			return fmt.Errorf("duplicate key %q", key)
		}
		seen[key] = true
		if err := member(key); err != nil {
			return fmt.Errorf("%q: %w", key, err)
		}
	}
	return d.delim('}')
}

func (d *parser) entry() (entry, error) {
	var e entry
	fields := 0
	err := d.object(func(key string) error {
		fields++
		switch key {
		case "dtype":
			name, err := d.text()
			if e.DType = tensor.DType(name); err == nil && e.DType.Size() == 0 {
				return fmt.Errorf("unknown dtype %q", name)
			}
			return err
		case "shape":
			shape, err := d.integers()
			e.Shape = make([]int, len(shape))
			for i, n := range shape {
				e.Shape[i] = int(n)
			}
			return err
		case "data_offsets":
			place, err := d.integers()
			if err != nil {
				return err
			}
			if len(place) != 2 {
				return fmt.Errorf("%d numbers instead of 2", len(place))
			}
			e.begin, e.end = place[0], place[1]
			return nil
		}
		return errors.New("unknown key")
	})
	if err == nil && fields != 3 {
		err = errors.New("dtype, shape or data_offsets is missing")
	}
	return e, err
}

func (d *parser) delim(want json.Delim) error {
	t, err := d.token()
	if err != nil {
		return err
	}
	if t != want {
		return fmt.Errorf("%.40v instead of %v", t, want)
	}
	return nil
}

func (d *parser) text() (string, error) {
	t, err := d.token()
	if err != nil {
		return "", err
	}
	s, ok := t.(string)
	if !ok {
		return "", fmt.Errorf("%.40v instead of a string", t)
	}
	return s, nil
}

// integers reads a list of whole numbers that fit an int on every machine that holds the file.
func (d *parser) integers() ([]int64, error) {
	if err := d.delim('['); err != nil {
		return nil, err
	}
	var list []int64
	for d.More() {
		t, err := d.token()
		if err != nil {
			return nil, err
		}
		n, ok := t.(json.Number)
		if !ok {
			return nil, fmt.Errorf("%.40v instead of a number", t)
		}
		v, err := strconv.ParseUint(string(n), 10, strconv.IntSize-1)
		if err != nil {
			return nil, fmt.Errorf("%.40s instead of a whole number", n)
		}
		list = append(list, int64(v))
	}
	return list, d.delim(']')
}

func (d *parser) token() (json.Token, error) {
	t, err := d.Token()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return t, err
}
