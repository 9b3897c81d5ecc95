package main

import (
	"strings"
	"testing"
)

func TestNarrowRegisters(t *testing.T) {
	for _, test := range []struct{ assembly, want string }{
		{"TEXT ·sumAVX2(SB), NOSPLIT, $0-8\n\tVADDPS Y14, Y15, Y15\n\tMOVQ R15, R14\n", ""},
		{"TEXT ·sumAVX512(SB), NOSPLIT, $0-8\n\tVADDPS Z14, K1, Z31\n", ""},
		{"TEXT ·sumAVX2(SB), NOSPLIT, $0-8\n\tVADDPS Y14, Y15, Y16\n", "sumAVX2 needs Y16"},
		{"TEXT ·sumAVX2(SB), NOSPLIT, $0-8\n\tVADDPS X31, X15, X1\n", "sumAVX2 needs X31"},
		{"TEXT ·sumAVX2(SB), NOSPLIT, $0-8\n\tVADDPS Z1, Z1, Z1\n", "sumAVX2 needs Z1"},
		{"TEXT ·sumAVX2(SB), NOSPLIT, $0-8\n\tVMOVUPS Y1, K2, (AX)\n", "sumAVX2 needs K2"},
		{"TEXT ·sumAVX512(SB), NOSPLIT, $0\nTEXT ·dotAVX2(SB), NOSPLIT, $0\n\tVXORPS Z0, Z0, Z0\n", "dotAVX2"},
	} {
		err := narrowRegisters(test.assembly)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("narrowRegisters(%q) = %v, want %q", test.assembly, err, test.want)
		}
	}
}
