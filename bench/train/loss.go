package train

import (
	"math"
	"slices"

	"github.com/reidbench/reidbench/kernels/parallel"
)

// A Loss scores logits against labels and, if it distils, a teacher's logits. Sample returns the two parts that one of
// n samples has in the mean loss, by its label and by the teacher's logits, and fills the gradient with the derivative
// of their sum. Logits, the teacher's and the gradient are those of the sample, [classes].
type Loss interface {
	Sample(n int, logits, teacher []float32, label int, gradient []float32) (labelled, taught float64)
}

// CrossEntropy is the mean of −Σ q·log softmax(logits), where q gives the label 1−Smoothing and every class, the label
// too, an equal part of Smoothing (label smoothing: Szegedy et al., CVPR 2016, "Rethinking the Inception Architecture
// for Computer Vision", §7), as PyTorch's CrossEntropyLoss defines it.
type CrossEntropy struct{ Smoothing float64 }

// HardDistillation is ½·CE(labels) + ½·CE(the teacher's most likely classes) (Touvron et al. 2021, "Training
// data-efficient image transformers", eq. 3), both on the one classifier. What is smoothed are the labels, not the
// teacher's classes, as there (§4).
type HardDistillation struct{ Smoothing float64 }

// SoftDistillation is (1−λ)·CE(labels) + λτ²·KL(teacher ‖ student), both softened by the temperature τ (same paper,
// eq. 2). What is smoothed are the labels: the teacher's answer is smooth.
type SoftDistillation struct{ Tau, Lambda, Smoothing float64 }

// Sample implements Loss.
func (l CrossEntropy) Sample(n int, logits, _ []float32, label int, gradient []float32) (labelled, taught float64) {
	clear(gradient)
	return addSmoothed(logits, label, l.Smoothing, 1/float64(n), gradient), 0
}

// Sample implements Loss.
func (d HardDistillation) Sample(
	n int, logits, teacher []float32, label int, gradient []float32,
) (labelled, taught float64) {
	clear(gradient)
	weight := 0.5 / float64(n)
	labelled = addSmoothed(logits, label, d.Smoothing, weight, gradient)
	return labelled, addCrossEntropy(logits, argmax(teacher), weight, gradient)
}

// Sample implements Loss.
func (d SoftDistillation) Sample(
	n int, logits, teacher []float32, label int, gradient []float32,
) (labelled, taught float64) {
	clear(gradient)
	labelled = addSmoothed(logits, label, d.Smoothing, (1-d.Lambda)/float64(n), gradient)

	// d/dz τ²·KL = τ·(softmax(z/τ) − softmax(t/τ)).
	student, tutor := logSumExp(logits, d.Tau), logSumExp(teacher, d.Tau)
	weight := d.Lambda * d.Tau * d.Tau / float64(n)
	for c := range gradient {
		logQ, logP := float64(logits[c])/d.Tau-student, float64(teacher[c])/d.Tau-tutor
		p := math.Exp(logP)
		taught += weight * p * (logP - logQ)
		gradient[c] += float32(weight / d.Tau * (math.Exp(logQ) - p))
	}
	return labelled, taught
}

// batchLoss computes the mean loss of a batch and its derivative, a sample a task.
type batchLoss struct {
	Loss
	n, classes                 int
	logits, teacher, gradients []float32 // [n, classes]; no teacher if the loss does not distil
	labels                     []int32
	parts                      [][2]float64 // of the samples, by label and by teacher
}

// run returns the mean loss.
func (l *batchLoss) run(p *parallel.Pool) float64 {
	l.parts = slices.Grow(l.parts[:0], l.n)[:l.n]
	p.Run(l.n, l)
	sum := 0.0
	for _, part := range l.parts {
		sum += part[0]
		sum += part[1]
	}
	return sum
}

// Do computes one sample.
func (l *batchLoss) Do(sample, _ int) {
	at, end := sample*l.classes, (sample+1)*l.classes
	var teacher []float32
	if l.teacher != nil {
		teacher = l.teacher[at:end]
	}
	labelled, taught := l.Sample(l.n, l.logits[at:end], teacher, int(l.labels[sample]), l.gradients[at:end])
	l.parts[sample] = [2]float64{labelled, taught}
}

// addCrossEntropy adds weight·∂CE/∂row to grad and returns weight·CE.
func addCrossEntropy(row []float32, label int, weight float64, grad []float32) float64 {
	total := logSumExp(row, 1)
	for c, z := range row {
		grad[c] += float32(weight * math.Exp(float64(z)-total))
	}
	grad[label] -= float32(weight)
	return weight * (total - float64(row[label]))
}

// addSmoothed is addCrossEntropy against a label of which smoothing is spread over all classes.
func addSmoothed(row []float32, label int, smoothing, weight float64, grad []float32) float64 {
	loss := addCrossEntropy(row, label, weight*(1-smoothing), grad)
	if smoothing == 0 {
		return loss
	}
	spread, total, sum := weight*smoothing/float64(len(row)), logSumExp(row, 1), 0.0
	for c, z := range row {
		grad[c] += float32(weight*smoothing*math.Exp(float64(z)-total) - spread)
		sum += total - float64(z)
	}
	return loss + spread*sum
}

// logSumExp is log Σ exp(row/tau).
func logSumExp(row []float32, tau float64) float64 {
	top := float64(row[argmax(row)]) / tau
	sum := 0.0
	for _, z := range row {
		sum += math.Exp(float64(z)/tau - top)
	}
	return top + math.Log(sum)
}

// argmax is the index of the first largest value.
func argmax(row []float32) int {
	best := 0
	for i, z := range row {
		if z > row[best] {
			best = i
		}
	}
	return best
}
