package mem

import "fmt"

// CheckLen panics if x, the operand of that name, is shorter than the shape of the kernel's call asks. The kernel is
// named as its users write it, package first.
func CheckLen(kernel, name string, x []float32, want int) {
	if len(x) < want {
		panic(fmt.Sprintf("%s: %s has %d elements, want %d", kernel, name, len(x), want))
	}
}
