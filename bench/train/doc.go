// Package train turns a layer graph into a program that runs: forward,
// backward and optimiser step, over memory whose layout is decided beforehand.
//
// Compile lowers every node of a graph to a layer of this package, fuses
// neighbours, writes the forward and backward steps down as one straight list
// and lets the liveness of every buffer decide its place in one arena. After
// that nothing is allocated: a step is a loop over the list.
//
// The gradient of a value is built by the layers that read it, in the list's
// order; what is cheap to compute again (batch norm, activations) is computed
// again in the backward pass instead of being kept, unless there is room for it.
package train
