package conv

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The generator has the same rule for windows, but for the name of its package.
func TestGroupedWindowIsTheGenerators(t *testing.T) {
	text := func(name string) string {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(data), "\n")
		return rest
	}
	if diff := cmp.Diff(text("grouped_window.go"), text("../_gen/grouped_window.go")); diff != "" {
		t.Errorf("../_gen/grouped_window.go differs (-here +there):\n%s", diff)
	}
}

// A window is that of a convolution with a padding of one pixel: output o sees pixel o*stride - 1 + tap. Turned, inputs
// and outputs change places: pixel o is seen by output i of the convolution through tap o + 1 - i*stride.
func TestGroupedWindow(t *testing.T) {
	const outputs = 4
	for _, w := range groupedTestWindows {
		for output := range outputs {
			for tap := range groupedTaps {
				input, aligned := output*w.stride+tap, true // input 0 is the padding
				if w.turned {
					input, aligned = (output+1-tap)/w.stride, (output+1-tap)%w.stride == 0 && output+1 >= tap
				}
				if !aligned {
					continue
				}
				if got, ok := w.tap(output, input); got != tap || !ok {
					t.Errorf("%+v: output %d sees input %d through tap %d, %t, want %d", w, output, input, got, ok, tap)
				}
				if input >= w.inputs(outputs) {
					t.Errorf("%+v: %d outputs see input %d, but inputs are %d", w, outputs, input, w.inputs(outputs))
				}
			}
		}
		if first, _ := w.tap(outputs, w.step(outputs)); !w.turned && first != 0 {
			t.Errorf("%+v: %d outputs on, the first tap is at %d", w, outputs, first)
		}
	}
}
