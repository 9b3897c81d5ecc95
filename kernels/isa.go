package kernels

import (
	"fmt"
	"os"

	"golang.org/x/sys/cpu"
)

// ISA is an instruction set the kernels are written for.
type ISA int

// The instruction sets, from portable Go to the widest.
const (
	Generic ISA = iota // portable Go
	AVX2               // AVX2 with FMA and BMI2
	AVX512             // AVX-512 F, BW, DQ and VL
)

var isaNames = [...]string{Generic: "generic", AVX2: "avx2", AVX512: "avx512"}

// String returns the name used by REIDBENCH_ISA.
func (i ISA) String() string {
	if i < 0 || int(i) >= len(isaNames) {
		return fmt.Sprintf("ISA(%d)", int(i))
	}
	return isaNames[i]
}

// active is what every family switches on.
var active, isaErr = chooseISA(os.Getenv("REIDBENCH_ISA"), Detected())

// Detected returns the best instruction set of this CPU.
func Detected() ISA {
	avx2 := cpu.X86.HasAVX2 && cpu.X86.HasFMA && cpu.X86.HasBMI2
	switch {
	case avx2 && cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL:
		return AVX512
	case avx2:
		return AVX2
	}
	return Generic
}

// hasBF16 reports whether this CPU multiplies pairs of bf16 values (AVX512_BF16).
func hasBF16() bool { return cpu.X86.HasAVX512BF16 }

// Active returns the instruction set in use.
func Active() ISA { return active }

// useISA makes isa the active instruction set, which this CPU must have, until restore is called. It is for tests: no
// kernel may run meanwhile on another goroutine.
func useISA(isa ISA) (restore func()) {
	before := active
	active = isa
	return func() { active = before }
}

// ISAError says why the choice made by REIDBENCH_ISA could not be followed; nil if it was, or if there was none.
func ISAError() error { return isaErr }

// chooseISA follows the wish if this CPU can; otherwise it stays with the best and says why.
func chooseISA(wish string, best ISA) (ISA, error) {
	if wish == "" {
		return best, nil
	}
	for i, name := range isaNames {
		if name != wish {
			continue
		}
		if ISA(i) > best {
			return best, fmt.Errorf("REIDBENCH_ISA=%s: this CPU supports %s at most", wish, best)
		}
		return ISA(i), nil
	}
	return best, fmt.Errorf("REIDBENCH_ISA=%q: want avx512, avx2 or generic", wish)
}
