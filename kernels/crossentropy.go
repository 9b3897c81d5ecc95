package kernels

import (
	"fmt"
	"math"
)

// CrossEntropy is the loss of a classifier, softmax included.
type CrossEntropy struct {
	classes int

	n               int
	logits, dlogits []float32
	labels          []int32
	losses          []float64
}

// NewCrossEntropy returns the kernel for the given number of classes.
func NewCrossEntropy(classes int) *CrossEntropy { return &CrossEntropy{classes: classes} }

// Forward returns the mean of the samples' losses
//
//	losses[n] = log(Σ_k exp(logits[n,k])) - logits[n,labels[n]]
//
// and, unless dlogits is nil, the gradient of that mean
//
//	dlogits[n,k] = (softmax(logits[n])[k] - [k = labels[n]]) / N
//
// Exponentials and sums are taken in float64. dlogits may be logits. A label outside [0,classes) panics.
func (k *CrossEntropy) Forward(p *Pool, n int, logits []float32, labels []int32, dlogits []float32, losses []float64) float64 {
	checkLen("CrossEntropy.Forward", "logits", logits, n*k.classes)
	if dlogits != nil {
		checkLen("CrossEntropy.Forward", "dlogits", dlogits, n*k.classes)
	}
	k.n, k.logits, k.dlogits = n, logits, dlogits
	k.labels, k.losses = labels[:n], losses[:n]
	for i, label := range k.labels {
		if label < 0 || int(label) >= k.classes {
			panic(fmt.Sprintf("kernels: CrossEntropy.Forward: label %d of sample %d is not one of %d classes", label, i, k.classes))
		}
	}
	p.Run(n, (*crossEntropyForward)(k))
	sum := 0.0
	for _, loss := range k.losses {
		sum += loss
	}
	return sum / float64(n)
}

type crossEntropyForward CrossEntropy

func (k *crossEntropyForward) Do(sample, _ int) {
	logits := k.logits[sample*k.classes : (sample+1)*k.classes]
	label := k.labels[sample]
	top := maxOf(logits)
	sum := 0.0
	for _, v := range logits {
		sum += math.Exp(float64(v) - top)
	}
	k.losses[sample] = math.Log(sum) - (float64(logits[label]) - top)
	if k.dlogits == nil {
		return
	}
	dlogits := k.dlogits[sample*k.classes : (sample+1)*k.classes]
	perSample := 1 / float64(k.n)
	for j, v := range logits {
		p := math.Exp(float64(v)-top) / sum
		if j == int(label) {
			p--
		}
		dlogits[j] = float32(p * perSample)
	}
}
