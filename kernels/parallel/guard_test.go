package parallel

import (
	"errors"
	"strings"
	"testing"
)

func TestGuard(t *testing.T) {
	failure := errors.New("no luck")
	for _, test := range []struct {
		name  string
		work  func() error
		want  string
		stack bool
	}{
		{"success", func() error { return nil }, "", false},
		{"failure", func() error { return failure }, "no luck", false},
		{"panic", func() error { panic("out of luck") }, "panic: out of luck", true},
		{"runtime error", func() error { return []error{}[len(failure.Error())] }, "index out of range", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := Guard(test.work)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
			var p *Panic
			if errors.As(err, &p) != test.stack {
				t.Errorf("%T", err)
			} else if test.stack && !strings.Contains(string(p.Stack()), "TestGuard") {
				t.Errorf("the stack does not say where it came from:\n%s", p.Stack())
			}
		})
	}
}
