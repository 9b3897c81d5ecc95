package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// Kernels of AVX2 have these names, and none of what AVX-512 alone has: more than sixteen vectors, wider ones, masks.
var (
	narrowKernel  = regexp.MustCompile(`^TEXT ·(\w+AVX2)\(SB\)`)
	wideRegisters = regexp.MustCompile(`\b([XY](1[6-9]|2\d|3[01])|Z\d+|K[0-7])\b`)
)

// checkRegisters returns an error if a kernel of AVX2 in the file uses a register that AVX2 lacks: the allocator knows
// of no instruction set, and the kernel would run on processors with AVX-512 alone.
func checkRegisters(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return narrowRegisters(string(text))
}

func narrowRegisters(assembly string) error {
	kernel := ""
	for line := range strings.Lines(assembly) {
		if strings.HasPrefix(line, "TEXT ") {
			kernel = ""
			if match := narrowKernel.FindStringSubmatch(line); match != nil {
				kernel = match[1]
			}
		}
		if register := wideRegisters.FindString(line); kernel != "" && register != "" {
			return fmt.Errorf("%s needs %s, which AVX2 lacks: %s", kernel, register, strings.TrimSpace(line))
		}
	}
	return nil
}
