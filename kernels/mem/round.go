package mem

// CeilDiv returns a/b, rounded up.
func CeilDiv(a, b int) int { return (a + b - 1) / b }

// RoundUp returns the smallest multiple of step that is at least n.
func RoundUp(n, step int) int { return CeilDiv(n, step) * step }

// EqualParts returns the size of the parts into which n is cut if none may be larger than limit; the last may be
// smaller.
func EqualParts(n, limit int) int { return CeilDiv(n, CeilDiv(n, limit)) }
