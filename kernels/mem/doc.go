// Package mem answers where memory is and how it is written: slabs on huge pages, workspaces cut into scratch, stores
// past the caches, and checks of the lengths of operands.
//
// Kernels take their scratch from a workspace of the caller's. The code that cuts it with a [Scratch] is also the code
// that counts how large it has to be.
package mem
