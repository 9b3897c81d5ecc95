package mem

import "fmt"

// CheckLen panics if a slice given to a kernel is shorter than its shape asks.
func CheckLen(kernel, name string, x []float32, want int) {
	if len(x) < want {
		panic(fmt.Sprintf("kernels: %s: %s has %d elements, want %d", kernel, name, len(x), want))
	}
}
