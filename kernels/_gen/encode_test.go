package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestBytes compares with what GNU as 2.40 makes of `vdpbf16ps %zmmA, %zmmB, %zmmDST`. The registers have every bit
// that the prefix keeps, set in one operand and clear in another.
func TestBytes(t *testing.T) {
	for _, test := range []struct {
		of        newInstruction
		a, b, dst byte
		want      [6]byte
	}{
		{dotPairs, 0, 0, 0, [6]byte{0x62, 0xf2, 0x7e, 0x48, 0x52, 0xc0}},
		{dotPairs, 1, 2, 3, [6]byte{0x62, 0xf2, 0x6e, 0x48, 0x52, 0xd9}},
		{dotPairs, 9, 18, 31, [6]byte{0x62, 0x42, 0x6e, 0x40, 0x52, 0xf9}},
		{dotPairs, 31, 9, 18, [6]byte{0x62, 0x82, 0x36, 0x48, 0x52, 0xd7}},
		{dotPairs, 18, 31, 9, [6]byte{0x62, 0x32, 0x06, 0x40, 0x52, 0xca}},
		{roundPairs, 1, 2, 3, [6]byte{0x62, 0xf2, 0x6f, 0x48, 0x72, 0xd9}},
		{roundPairs, 31, 9, 18, [6]byte{0x62, 0x82, 0x37, 0x48, 0x72, 0xd7}},
		{roundPairs, 18, 31, 9, [6]byte{0x62, 0x32, 0x07, 0x40, 0x72, 0xca}},
	} {
		if got := test.of.bytes(test.a, test.b, test.dst); got != test.want {
			t.Errorf("%s Z%d, Z%d, Z%d: % x, want % x", test.of.name, test.a, test.b, test.dst, got, test.want)
		}
	}
}

// TestEncode replaces the instructions that Go's assembler lacks, and leaves the others alone.
func TestEncode(t *testing.T) {
	checkRewritten(t, "a.s", func(path string) (string, error) { return path, encode(path) },
		"TEXT ·f(SB), NOSPLIT, $0\n"+
			"\tVADDPS         Z1, Z2, Z3\n"+
			"\tVDPBF16PS      Z1, Z2, Z3\n"+
			"\tVCVTNE2PS2BF16 Z31, Z9, Z18\n"+
			"\tRET\n",
		"TEXT ·f(SB), NOSPLIT, $0\n"+
			"\tVADDPS         Z1, Z2, Z3\n"+
			"\tLONG $0x486ef262 // VDPBF16PS Z1, Z2, Z3\n\tWORD $0xd952\n"+
			"\tLONG $0x48378262 // VCVTNE2PS2BF16 Z31, Z9, Z18\n\tWORD $0xd772\n"+
			"\tRET\n")
}

// TestWriteNoAssembly turns declarations of assembly into functions that any architecture has.
func TestWriteNoAssembly(t *testing.T) {
	checkRewritten(t, "a_amd64.go", func(path string) (string, error) {
		to := filepath.Join(filepath.Dir(path), "a_noasm.go")
		return to, writeNoAssembly("kernels", path, to)
	},
		"package kernels\n\n// f adds.\n//\n//go:noescape\nfunc f(x *float32, n int)\n",
		generatedHeader+"//go:build !amd64\n\npackage kernels\n\n"+
			"func f(x *float32, n int) {\n\tpanic(\"kernels: assembly called on another architecture\")\n}\n")
}

// checkRewritten writes text to a file, rewrites it, and compares the file that comes of it.
func checkRewritten(t *testing.T, name string, rewrite func(path string) (string, error), text, want string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	to, err := rewrite(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
