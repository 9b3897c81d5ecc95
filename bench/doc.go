// Package bench trains and evaluates models side by side and keeps what comes
// out of it.
//
// [Run] fans training jobs out, one per model and seed. A job's folder is the truth
// about it: run.json says what is being done, metrics.jsonl what has happened,
// checkpoints where to go on, weights.safetensors and result.json come last. A
// job that was interrupted, or killed, goes on from its newest checkpoint and ends
// with the same bits as one that was not; a finished one is not done again. One
// process at a time works on a folder; [Status] tells any other how far it is.
//
// [Evaluate] judges a file of weights by the same protocol, and [Measure] tells
// how fast training, inference and single kernels are.
package bench
