package main

import (
	"fmt"
	"os"
	"regexp"
	"strconv"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// newInstruction is an instruction that neither avo nor Go's assembler knows, of three vectors of 512 bits. It goes
// through avo by its name; encode replaces it once it has its registers.
type newInstruction struct {
	name   string
	prefix byte // the two bits that stand for a mandatory prefix: 2 for F3, 3 for F2
	opcode byte // in the map 0F 38
}

var newInstructions = map[string]newInstruction{}

func register512(name string, prefix, opcode byte) newInstruction {
	i := newInstruction{name, prefix, opcode}
	newInstructions[name] = i
	return i
}

// The instructions of AVX512_BF16, operands in the order of Go's assembler.
var (
	// dotPairs adds the inner products of pairs: dst[i] += a[2i+1]·b[2i+1], then dst[i] += a[2i]·b[2i].
	dotPairs = register512("VDPBF16PS", 2, 0x52)
	// roundPairs rounds two vectors to one: low to its lower half, high to its upper.
	roundPairs = register512("VCVTNE2PS2BF16", 3, 0x72)
)

// accumulate emits dst = f(a, b, dst).
func (n newInstruction) accumulate(a, b, dst reg.VecVirtual) { n.emit(a, b, dst, dst) }

// compute emits dst = f(a, b).
func (n newInstruction) compute(a, b, dst reg.VecVirtual) { n.emit(a, b, dst) }

func (n newInstruction) emit(a, b, dst reg.VecVirtual, more ...operand.Op) {
	build.Instruction(&ir.Instruction{
		Opcode:   n.name,
		Operands: []operand.Op{a, b, dst},
		Inputs:   append([]operand.Op{a, b}, more...),
		Outputs:  []operand.Op{dst},
	})
}

// encode replaces new instructions in a file of assembly by their bytes.
func encode(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	line := regexp.MustCompile(`(?m)^\t(\w+)[ \t]+Z(\d+), Z(\d+), Z(\d+)$`)
	text = line.ReplaceAllFunc(text, func(found []byte) []byte {
		parts := line.FindSubmatch(found)
		n, ok := newInstructions[string(parts[1])]
		if !ok {
			return found
		}
		var z [3]byte
		for i := range z {
			number, _ := strconv.Atoi(string(parts[2+i]))
			z[i] = byte(number)
		}
		b := n.bytes(z[0], z[1], z[2])
		return fmt.Appendf(nil, "\tLONG $0x%02x%02x%02x%02x // %s Z%d, Z%d, Z%d\n\tWORD $0x%02x%02x",
			b[3], b[2], b[1], b[0], n.name, z[0], z[1], z[2], b[5], b[4])
	})
	return os.WriteFile(file, text, 0o644)
}

// bytes are the instruction's EVEX encoding (Intel's manual, volume 2, section 2.7) for registers only: a in ModRM.rm,
// b in EVEX.vvvv, dst in ModRM.reg. Bits of registers beyond the lowest three stand inverted in the prefix.
func (n newInstruction) bytes(a, b, dst byte) [6]byte {
	inverted := func(register, bit, to byte) byte { return (^register >> bit & 1) << to }
	const map0F38, always, vector512 = 2, 1 << 2, 2 << 5
	return [6]byte{
		0x62,
		inverted(dst, 3, 7) | inverted(a, 4, 6) | inverted(a, 3, 5) | inverted(dst, 4, 4) | map0F38,
		(^b & 15 << 3) | always | n.prefix,
		vector512 | inverted(b, 4, 3),
		n.opcode,
		3<<6 | dst&7<<3 | a&7,
	}
}
