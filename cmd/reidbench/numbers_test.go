package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestNumbersHaveBounds gives every flag of every command that is a whole number what nobody means. The command does
// nothing, and says why.
func TestNumbersHaveBounds(t *testing.T) {
	commands(newRootCommand(), func(c *cobra.Command) {
		path := strings.Fields(c.CommandPath())[1:]
		c.Flags().VisitAll(func(f *pflag.Flag) {
			for _, test := range []struct {
				kinds, value, reason string
			}{
				{"int", "-1", "must be from"},
				{"int", "9223372036854775807", "must be from"},
				{"int", "-9223372036854775808", "must be from"},
				{"int", "9223372036854775808", "must be from"},
				{"int uint64", "0x10", "no whole number"},
				{"int uint64", "1_000", "no whole number"},
				{"int uint64", "", "no whole number"},
				{"uint64", "18446744073709551616", "out of range"},
				{"uint64", "-1", "invalid syntax"},
			} {
				if !slices.Contains(strings.Fields(test.kinds), f.Value.Type()) {
					continue
				}
				o := reidbench(t, append(path, "--"+f.Name+"="+test.value)...)
				if o.code != exitMisuse || !strings.Contains(o.stderr, test.reason) {
					t.Errorf("%s --%s=%s: exit code %d, %q, want one with %q",
						c.CommandPath(), f.Name, test.value, o.code, o.stderr, test.reason)
				}
			}
		})
	})
}

func TestNumbersAreDecimal(t *testing.T) {
	for _, test := range []struct{ given, want string }{
		{"8", "8"}, {"010", "10"}, {"0", "0"}, {"000", "0"}, {"+7", "7"},
	} {
		c := newRunCommand()
		boundNumbers(c)
		for _, flag := range []string{"seed", "epochs"} {
			if err := c.Flags().Set(flag, test.given); err != nil {
				t.Error(err)
			}
			if got := c.Flag(flag).Value.String(); got != test.want {
				t.Errorf("--%s %s is %s, want %s", flag, test.given, got, test.want)
			}
		}
	}
}
