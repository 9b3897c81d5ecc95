package pickle

import "fmt"

// opcode is one byte of a pickle. The names are those of CPython's pickletools.
type opcode byte

const (
	opMark         opcode = '('
	opStop         opcode = '.'
	opInt4         opcode = 'J'
	opInt1         opcode = 'K'
	opInt2         opcode = 'M'
	opNone         opcode = 'N'
	opPersistent   opcode = 'Q'
	opReduce       opcode = 'R'
	opString       opcode = 'T'
	opShortString  opcode = 'U'
	opUnicode      opcode = 'X'
	opFloat        opcode = 'G'
	opAppend       opcode = 'a'
	opBuild        opcode = 'b'
	opGlobal       opcode = 'c'
	opEmptyDict    opcode = '}'
	opAppends      opcode = 'e'
	opGet1         opcode = 'h'
	opGet4         opcode = 'j'
	opEmptyList    opcode = ']'
	opPut1         opcode = 'q'
	opPut4         opcode = 'r'
	opSetItem      opcode = 's'
	opTuple        opcode = 't'
	opEmptyTuple   opcode = ')'
	opSetItems     opcode = 'u'
	opProto        opcode = 0x80
	opTuple1       opcode = 0x85
	opTuple2       opcode = 0x86
	opTuple3       opcode = 0x87
	opTrue         opcode = 0x88
	opFalse        opcode = 0x89
	opLong1        opcode = 0x8a
	opShortUnicode opcode = 0x8c
	opStackGlobal  opcode = 0x93
	opNewObject    opcode = 0x81
	opMemoize      opcode = 0x94
	opFrame        opcode = 0x95
	opPop          opcode = '0'
	opPopMark      opcode = '1'
	opDuplicate    opcode = '2'
	opBytes        opcode = 'B'
	opShortBytes   opcode = 'C'
	opLong4        opcode = 0x8b
	opUnicode8     opcode = 0x8d
	opBytes8       opcode = 0x8e
	opEmptySet     opcode = 0x8f
	opAddItems     opcode = 0x90
	opFrozenSet    opcode = 0x91
	opNewObjectEx  opcode = 0x92
	opByteArray8   opcode = 0x96
)

var opcodeNames = map[opcode]string{
	opMark: "MARK", opStop: "STOP", opInt4: "BININT", opInt1: "BININT1", opInt2: "BININT2", opNone: "NONE",
	opPersistent: "BINPERSID", opReduce: "REDUCE", opString: "BINSTRING", opShortString: "SHORT_BINSTRING",
	opUnicode: "BINUNICODE", opFloat: "BINFLOAT", opAppend: "APPEND", opBuild: "BUILD", opGlobal: "GLOBAL",
	opEmptyDict: "EMPTY_DICT", opAppends: "APPENDS", opGet1: "BINGET", opGet4: "LONG_BINGET", opEmptyList: "EMPTY_LIST",
	opPut1: "BINPUT", opPut4: "LONG_BINPUT", opSetItem: "SETITEM", opTuple: "TUPLE", opEmptyTuple: "EMPTY_TUPLE",
	opSetItems: "SETITEMS", opProto: "PROTO", opTuple1: "TUPLE1", opTuple2: "TUPLE2", opTuple3: "TUPLE3",
	opTrue: "NEWTRUE", opFalse: "NEWFALSE", opLong1: "LONG1", opShortUnicode: "SHORT_BINUNICODE",
	opStackGlobal: "STACK_GLOBAL", opMemoize: "MEMOIZE", opFrame: "FRAME", opNewObject: "NEWOBJ",
	opPop: "POP", opPopMark: "POP_MARK", opDuplicate: "DUP", opBytes: "BINBYTES", opShortBytes: "SHORT_BINBYTES",
	opLong4: "LONG4", opUnicode8: "BINUNICODE8", opBytes8: "BINBYTES8", opEmptySet: "EMPTY_SET",
	opAddItems: "ADDITEMS", opFrozenSet: "FROZENSET", opNewObjectEx: "NEWOBJ_EX", opByteArray8: "BYTEARRAY8",

	// Refused, but met often enough to be called by their names.
	'F': "FLOAT", 'I': "INT", 'L': "LONG", 'P': "PERSID", 'S': "STRING", 'V': "UNICODE", 'd': "DICT", 'g': "GET",
	'i': "INST", 'l': "LIST", 'o': "OBJ", 'p': "PUT", 0x82: "EXT1", 0x83: "EXT2", 0x84: "EXT4", 0x97: "NEXT_BUFFER",
	0x98: "READONLY_BUFFER",
}

func (op opcode) String() string {
	if name, ok := opcodeNames[op]; ok {
		return name
	}
	return fmt.Sprintf("%#02x", byte(op))
}
