package pickle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"unicode/utf8"
)

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

// length reads how much follows, in a number of bytes.
func (d *Decoder) length(bytes int64) (int64, error) {
	p, err := d.bytes(bytes)
	if err != nil {
		return 0, err
	}
	var wide [8]byte
	copy(wide[:], p)
	n := binary.LittleEndian.Uint64(wide[:])
	if n > math.MaxInt64 {
		return 0, d.beyond(math.MaxInt64)
	}
	return int64(n), nil
}

// text reads a string after its length, which takes a number of bytes. Python 2's byte strings are taken as text where
// they are text.
func (d *Decoder) text(op opcode, lengthBytes int64) error {
	n, err := d.length(lengthBytes)
	if err != nil {
		return err
	}
	p, err := d.bytes(n)
	if err != nil {
		return err
	}
	switch {
	case utf8.Valid(p):
		return d.push(string(p))
	case op == opShortString || op == opString:
		return d.push(Inert("bytes"))
	}
	return errors.New("string is not UTF-8")
}

// skip passes over what is inert, after its length.
func (d *Decoder) skip(what Inert, lengthBytes int64) error {
	n, err := d.length(lengthBytes)
	if err != nil {
		return err
	}
	if n > d.limit-d.consumed {
		return d.beyond(n)
	}
	if _, err := io.CopyN(io.Discard, d.r, n); err != nil {
		return unexpected(err)
	}
	d.consumed += n
	return d.push(what)
}

const longestName = 256 // a module's or a name's, in bytes

var errLongName = fmt.Errorf("name of more than %d bytes", longestName)

func (d *Decoder) line() (string, error) {
	var p []byte
	for {
		b, err := d.byte()
		if err != nil {
			return "", err
		}
		if b == '\n' {
			break
		}
		if p = append(p, b); len(p) > longestName {
			return "", errLongName
		}
	}
	if !utf8.Valid(p) {
		return "", errors.New("name is not UTF-8")
	}
	return string(p), nil
}
