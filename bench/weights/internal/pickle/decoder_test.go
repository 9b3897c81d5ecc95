package pickle

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// recorder answers everything by saying what was asked.
type recorder struct{}

func (recorder) Global(module, name string) (any, error) { return module + "." + name, nil }
func (recorder) Call(f any, args Tuple) (any, error)     { return fmt.Sprint(f, args), nil }
func (recorder) Build(any, any) error                    { return nil }
func (recorder) Persistent(id any) (any, error)          { return fmt.Sprint("at ", id), nil }

func decode(data string, h Host) (any, error) {
	return NewDecoder(strings.NewReader(data), int64(len(data))).Decode(h)
}

// plain turns lists and dictionaries into what cmp can compare.
func plain(v any) any {
	switch v := v.(type) {
	case Tuple:
		items := []any{"tuple"}
		for _, item := range v {
			items = append(items, plain(item))
		}
		return items
	case *List:
		items := []any{"list"}
		for _, item := range v.Items {
			items = append(items, plain(item))
		}
		return items
	case *Dict:
		items := []any{"dict"}
		for _, key := range v.Keys() {
			value, _ := v.Get(key)
			items = append(items, plain(key), plain(value))
		}
		return items
	case *big.Int:
		return v.String()
	}
	return v
}

func TestDecode(t *testing.T) {
	for _, c := range []struct {
		name, data string
		want       any
	}{
		{"none", "\x80\x02N.", nil},
		{"true", "\x88.", true},
		{"false", "\x89.", false},
		{"byte", "K\xff.", int64(255)},
		{"two bytes", "M\xff\xff.", int64(65535)},
		{"four bytes", "J\xfe\xff\xff\xff.", int64(-2)},
		{"long zero", "\x8a\x00.", int64(0)},
		{"long negative", "\x8a\x01\x80.", int64(-128)},
		{"long", "\x8a\x05\x00\x00\x00\x00\x01.", int64(1 << 32)},
		{"long, 10 bytes", "\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", "119547037146038801333356"},
		{"float", "G\x3f\xf8\x00\x00\x00\x00\x00\x00.", 1.5},
		{
			"strings", "(U\x01aT\x01\x00\x00\x00bX\x02\x00\x00\x00\xc3\xa9\x8c\x01dt.",
			[]any{"tuple", "a", "b", "é", "d"},
		},
		{"tuples", "()K\x01\x85K\x01K\x02\x86K\x01K\x02K\x03\x87t.", []any{"tuple", []any{"tuple"}, []any{
			"tuple", int64(1),
		},
			[]any{"tuple", int64(1), int64(2)}, []any{"tuple", int64(1), int64(2), int64(3)}}},
		{"list", "](K\x01K\x02eK\x03a.", []any{"list", int64(1), int64(2), int64(3)}},
		{
			"dict", "}(U\x01bK\x01K\x05K\x02uU\x01aK\x03s.",
			[]any{"dict", "b", int64(1), int64(5), int64(2), "a", int64(3)},
		},
		{"dict with attributes", "}}b.", []any{"dict"}},
		{"memo", "U\x01aq\x05r\x00\x01\x00\x00h\x05j\x00\x01\x00\x00\x87.", []any{"tuple", "a", "a", "a"}},
		{"memoize", "(\x8c\x01a\x94\x8c\x01b\x94h\x01h\x00t.", []any{"tuple", "a", "b", "b", "a"}},
		{"frame", "\x80\x04\x95\x02\x00\x00\x00\x00\x00\x00\x00N.", nil},
		{"call", "cm\nf\nK\x01\x85R.", "m.f[1]"},
		{"new object", "\x8c\x01m\x8c\x01f\x93)\x81.", "m.f[]"},
		{"persistent", "U\x01kQ.", "at k"},
		{"popped", "K\x01K\x020.", int64(1)},
		{"popped to a mark", "K\x01(K\x02K\x031.", int64(1)},
		{"duplicated", "K\x012\x86.", []any{"tuple", int64(1), int64(1)}},
		{"long text", "\x8d\x02\x00\x00\x00\x00\x00\x00\x00\xc3\xa9.", "é"},
		{"short bytes", "C\x02\xff\xfe.", Inert("bytes")},
		{"bytes", "B\x02\x00\x00\x00\xff\xfe.", Inert("bytes")},
		{"long bytes", "\x8e\x02\x00\x00\x00\x00\x00\x00\x00\xff\xfe.", Inert("bytes")},
		{"byte array", "\x96\x02\x00\x00\x00\x00\x00\x00\x00\xff\xfe.", Inert("bytearray")},
		{"long integer", "\x8b\x02\x00\x00\x00\xff\xfe.", Inert("int")},
		{"python 2's bytes", "U\x01\xff.", Inert("bytes")},
		{"set", "\x8f(K\x01K\x02\x90.", Inert("set")},
		{"frozen set", "(K\x01\x91.", Inert("frozenset")},
		{"tuple as key", "}()NK\x01K\x02u.", []any{"dict", int64(1), int64(2)}},
		{"bytes as key", "}(C\x01aNK\x01K\x02u.", []any{"dict", int64(1), int64(2)}},
		{"items of the inert", "\x8fK\x01a(K\x01K\x02eK\x01K\x02s(K\x01K\x02u}b.", Inert("set")},
		{"call of the inert", "\x8f)R.", Inert("set")},
		{"new object of the inert with named arguments", "\x8f)}\x92.", Inert("set")},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := decode(c.data, recorder{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, plain(got)); diff != "" {
				t.Error(diff)
			}
			for n := range len(c.data) {
				if _, err := decode(c.data[:n], recorder{}); !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("cut after %d bytes: %v", n, err)
				}
			}
		})
	}
}

func TestDecodeErrors(t *testing.T) {
	for _, c := range []struct{ name, data, reason string }{
		{"nothing to stop with", ".", "too few values"},
		{"values left over", "NN.", "left over"},
		{"mark left over", "(N.", "left over"},
		{"mark on top", "N(.", "too few values"},
		{"no mark", "Nt.", "no mark"},
		{"below a mark", "N(\x85.", "too few values"},
		{"append to a dict", "}Na.", "appending to a dict"},
		{"item of a list", "]NNs.", "items of a list"},
		{"odd items", "}(Nu.", "key without a value"},
		{"duplicate key", "}(U\x01aNU\x01aNu.", `duplicate key "a"`},
		{"duplicate key in two steps", "}U\x01aNsU\x01aNs.", `duplicate key "a"`},
		{"list as key", "}]Ns.", "key of type list: refused"},
		{"item of no set", "](N\x90.", "adding to a list: refused"},
		{"new object with named arguments", "N)}\x92.", "a new None with named arguments: refused"},
		{
			"long name from the stack", "X\x01\x01\x00\x00" + strings.Repeat("a", 257) + "\x8c\x01a\x93.",
			"more than 256",
		},
		{"bytes beyond the end", "B\xff\xff\xff\xff.", "limit"},
		{"bytes beyond all", "\x8e\xff\xff\xff\xff\xff\xff\xff\xff.", "limit"},
		{"forgotten", "h\x07.", "remembered as 7"},
		{"not UTF-8", "X\x01\x00\x00\x00\xff.", "not UTF-8"},
		{"string beyond the end", "X\xff\xff\xff\xff.", "limit"},
		{"protocol", "\x80\x06N.", "protocol 6: refused"},
		{"name", "cos\nsystem\n.", "name os.system: refused"},
		{"name from the stack", "\x8c\x02os\x8c\x06system\x93.", "name os.system: refused"},
		{"long name", "c" + strings.Repeat("a", 1000) + "\nb\n.", "more than 256"},
		{"call", "N)R.", "calling None: refused"},
		{"arguments", "NNR.", "arguments are a None"},
		{"state", "NNb.", "state of a None: refused"},
		{"persistent", "NQ.", "persistent object: refused"},
		{"instance", "(ios\nsystem\n.", "opcode INST at byte 1: refused"},
		{"extension", "\x82\x01.", "opcode EXT1 at byte 0: refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := decode(c.data, Plain{})
			if err == nil || !strings.Contains(err.Error(), c.reason) {
				t.Fatalf("%v, want %q", err, c.reason)
			}
			if strings.Contains(err.Error(), "refused") != errors.Is(err, ErrRefused) {
				t.Errorf("%v is ErrRefused: %v", err, errors.Is(err, ErrRefused))
			}
		})
	}
}

// Whatever isn't interpreted is refused by name, before a byte of its argument has been looked at.
func TestUnknownOpcodes(t *testing.T) {
	known := "(.012BCJKMNQRTUXGab}ce]hjqrstu)\x80\x81\x85\x86\x87\x88\x89\x8a" +
		"\x8b\x8c\x8d\x8e\x8f\x90\x91\x92\x93\x94\x95\x96"
	for b := range 256 {
		if strings.IndexByte(known, byte(b)) >= 0 {
			continue
		}
		_, err := decode(string([]byte{byte(b)}), recorder{})
		if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), opcode(b).String()) {
			t.Errorf("%#02x: %v", b, err)
		}
	}
}

func TestTooManySteps(t *testing.T) {
	data := strings.Repeat("N", maxSteps+1)
	if _, err := decode(data, Plain{}); err == nil || !strings.Contains(err.Error(), "opcodes") {
		t.Error(err)
	}
}

func TestSeveralPickles(t *testing.T) {
	d := NewDecoder(strings.NewReader("K\x01.K\x02.rest"), 6)
	for want := int64(1); want <= 2; want++ {
		got, err := d.Decode(Plain{})
		if err != nil || got != want || d.Consumed() != 3*want {
			t.Errorf("%v, %v, %d bytes", got, err, d.Consumed())
		}
	}
	if _, err := d.Decode(Plain{}); err == nil || !strings.Contains(err.Error(), "limit") {
		t.Errorf("beyond the limit: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01ccollections\nOrderedDict\n)RK\x01K\x02\x86Qu.",
		"\x80\x04\x95\x08\x00\x00\x00\x00\x00\x00\x00]\x94(K\x01M\x02\x00J\x03\x00\x00\x00e.",
		"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.",
		"cm\nC\n)\x81}b.",
		"\x80\x04\x8f(C\x01aB\x01\x00\x00\x00a\x90U\x01\xff)}\x922\x860(N1.",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d := NewDecoder(bytes.NewReader(data), int64(len(data)))
		if _, err := d.Decode(recorder{}); err == nil && data[d.Consumed()-1] != '.' {
			t.Errorf("stopped after %d bytes without STOP", d.Consumed())
		}
		if d.Consumed() > int64(len(data)) {
			t.Errorf("%d of %d bytes consumed", d.Consumed(), len(data))
		}
	})
}
