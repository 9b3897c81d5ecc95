package mem

// CeilDiv returns a/b, rounded up.
func CeilDiv(a, b int) int { return (a + b - 1) / b }

// RoundUp returns the smallest multiple of step that is at least n.
func RoundUp(n, step int) int { return CeilDiv(n, step) * step }
