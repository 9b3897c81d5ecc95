//go:build !linux

package kernels

// wantHugePages does nothing where nothing is known to help.
func wantHugePages([]byte) {}
