// Package onnx writes a network and its weights as an ONNX model, version 17 of the operators, for inference: images go
// in, embeddings come out, and the batch size is left open.
//
// [New] translates a graph node by node: maps are [batch, C, H, W] there, sequences of tokens [batch, tokens, C]. Nodes
// are called by the path of their layer, parameters by the names that they have in published checkpoints. The wire
// format is protobuf's; the numbers of its fields are those of onnx.proto in version 1.12 of ONNX.
package onnx
