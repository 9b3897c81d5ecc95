// Package train turns a layer graph into a program that runs: forward, backward and optimiser step, over memory whose
// layout is decided beforehand.
//
// Compile goes three ways over the graph. It lowers every node to a layer of this package; it fuses, which makes one
// layer of several, or lets a layer do a part of its neighbour's work; and it emits the forward and backward steps as
// one straight list, as the layers' plans say. The liveness of every buffer then decides its place in one arena. After
// that nothing is allocated: a step is a loop over the list.
//
// docs/architecture.md says what each of the [Fusions] does.
//
// The gradient of a value is built by the layers that read it, in the list's order; what is cheap to compute again
// (batch norm, activations) is computed again in the backward pass instead of being kept, unless there is room for it.
package train
