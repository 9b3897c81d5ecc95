// Package grammar puts numbers of things into words.
package grammar

import "fmt"

// Count is n and the words for as many: one for a single one, more for none and for several.
func Count(n int, one, more string) string { return fmt.Sprintf("%d %s", n, Choose(n, one, more)) }

// Choose is one for a single one, more for none and for several.
func Choose(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}
