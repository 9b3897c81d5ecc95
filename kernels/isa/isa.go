// Package isa answers which instruction set the kernels use: the best of this CPU, or the one that the environment
// variable REIDBENCH_ISA names (avx512, avx2 or generic, which is portable Go).
//
// Every family of kernels looks [Active] up for each call of a loop, so a test can go through all of them with [Use].
package isa

import (
	"fmt"
	"os"

	"golang.org/x/sys/cpu"
)

// Set is an instruction set that kernels are written for.
type Set int

// The instruction sets, from portable Go to the widest.
const (
	Generic Set = iota // portable Go
	AVX2               // AVX2 with FMA and BMI2
	AVX512             // AVX-512 F, BW, DQ and VL
)

var names = [...]string{Generic: "generic", AVX2: "avx2", AVX512: "avx512"}

// String returns the name that REIDBENCH_ISA has for the instruction set.
func (s Set) String() string {
	if s < 0 || int(s) >= len(names) {
		return fmt.Sprintf("Set(%d)", int(s))
	}
	return names[s]
}

// active is read by every kernel, and changed by tests alone.
var active, envErr = choose(os.Getenv("REIDBENCH_ISA"), Detected())

// Detected returns the best instruction set of this CPU.
func Detected() Set {
	avx2 := cpu.X86.HasAVX2 && cpu.X86.HasFMA && cpu.X86.HasBMI2
	switch {
	case avx2 && cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL:
		return AVX512
	case avx2:
		return AVX2
	}
	return Generic
}

// HasBF16 reports whether this CPU multiplies pairs of bf16 values (AVX512_BF16).
func HasBF16() bool { return cpu.X86.HasAVX512BF16 }

// Active returns the instruction set in use.
func Active() Set { return active }

// Use makes set the active instruction set, which this CPU must have, until restore is called. It is for tests: no
// kernel may run meanwhile on another goroutine.
func Use(set Set) (restore func()) {
	before := active
	active = set
	return func() { active = before }
}

// EnvError returns why the choice made by REIDBENCH_ISA could not be followed; nil if it was, or if there was none.
func EnvError() error { return envErr }

// choose follows the wish if this CPU can; otherwise it stays with the best and says why.
func choose(wish string, best Set) (Set, error) {
	if wish == "" {
		return best, nil
	}
	for i, name := range names {
		if name != wish {
			continue
		}
		if Set(i) > best {
			return best, fmt.Errorf("REIDBENCH_ISA=%s: this CPU supports %s at most", wish, best)
		}
		return Set(i), nil
	}
	return best, fmt.Errorf("REIDBENCH_ISA=%q: want avx512, avx2 or generic", wish)
}
