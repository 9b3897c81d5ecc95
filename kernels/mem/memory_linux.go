package mem

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// hugePage is the size of a huge page on most architectures; where it is another, less memory is advised.
const hugePage = 2 << 20

// wantHugePages asks for huge pages in the part of data that consists of whole ones. It is advice: where the system
// does not follow it, kernels are slower, and nothing else changes.
func wantHugePages(data []byte) {
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(data))) % hugePage)
	if size := (len(data) - skip) / hugePage * hugePage; size > 0 {
		_ = unix.Madvise(data[skip:skip+size], unix.MADV_HUGEPAGE)
	}
}
