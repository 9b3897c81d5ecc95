//go:build !linux

package mem

// wantHugePages does nothing where nothing is known to help.
func wantHugePages([]byte) {}
