// Package train turns a layer graph into a program that runs: forward, backward and optimiser step, over memory whose
// layout is decided beforehand.
//
// Compile goes three ways over the graph. It lowers every node to a layer of this package; it fuses, which makes one
// layer of several, or lets a layer do a part of its neighbour's work; and it emits the forward and backward steps as
// one straight list, as the layers' plans say. The liveness of every buffer then decides its place in one arena. After
// that nothing is allocated: a step is a loop over the list.
//
// What is fused, by the names of [Fusions]:
//
//	residual        a convolution or batch norm adds the other term of a sum
//	activation      a batch norm applies the activation that follows, a convolution or sum a ReLU
//	statistics      a convolution takes its output's mean and variance for the batch norm after it
//	sums            a convolution takes the sums of the gradient that it makes for the batch norm before it
//	parts           batch norms read the parts of a concatenation, which is not written
//	read through    a convolution normalises what it reads; the batch norm before it writes nothing
//	means           a batch norm makes the mean over all positions of its output
//	gate            a gate leaves the gradient of what it multiplies to the batch norm that made it
//	joint backward  a convolution computes the gradient of its output while it makes its own two of it
//
// The gradient of a value is built by the layers that read it, in the list's order; what is cheap to compute again
// (batch norm, activations) is computed again in the backward pass instead of being kept, unless there is room for it.
package train
