package graph

import "errors"

// NeckModule is the name of the batch norm that [Builder.Neck] appends, as BNNeck's authors call it.
const NeckModule = "bottleneck"

// Neck puts a batch norm between a network's features and its classifier (BNNeck: Luo et al., CVPRW 2019, "Bag of
// Tricks and A Strong Baseline for Deep Person Re-identification", §3.5). Its bias stays at zero, and the classifier,
// whose weights begin near zero, has none. features and logits are what a network has ended with; the new ones, for
// [Builder.Graph], are the norm's output and the new classifier's. A loss that compares features takes those before
// the norm, see [Graph.Compared].
func (b *Builder) Neck(features, logits *Node) (normed, classified *Node) {
	if b.err != nil {
		return features, logits
	}
	last := len(b.g.Nodes) - 1
	op, linear := logits.Op.(Linear)
	if !linear || b.g.Nodes[last] != logits || logits.Inputs[0] != features || !logits.Owns() {
		b.fail(NeckModule, errors.New("the classifier is no linear layer of the features at the network's end"))
		return features, logits
	}
	b.g.Nodes = b.g.Nodes[:last]
	b.g.Params = b.g.Params[:len(b.g.Params)-len(logits.Params)]
	delete(b.modules, logits.Module)
	for _, p := range logits.Params {
		delete(b.params, p.Name)
	}
	normed = b.BatchNorm(NeckModule, features)
	classified = b.LinearOp(logits.Module, normed, Linear{Out: op.Out})
	if b.err == nil {
		normed.Params[1].Fixed = true
		classified.Params[0].Init = Init{Kind: Normal, Value: 0.001}
		b.compared = features
	}
	return normed, classified
}
