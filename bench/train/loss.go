package train

import "math"

// A Loss scores logits [n, classes] against labels [n] and, if it distils, a teacher's logits [n, classes]. Gradient
// returns the mean loss of the batch and fills dlogits with its derivative.
type Loss interface {
	Gradient(n, classes int, logits, teacher []float32, labels []int32, dlogits []float32) float64
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

// Gradient implements Loss.
func (l CrossEntropy) Gradient(n, classes int, logits, _ []float32, labels []int32, dlogits []float32) float64 {
	clear(dlogits[:n*classes])
	loss := 0.0
	for i := range n {
		row, grad := logits[i*classes:][:classes], dlogits[i*classes:][:classes]
		loss += addSmoothed(row, int(labels[i]), l.Smoothing, 1/float64(n), grad)
	}
	return loss
}

// Gradient implements Loss.
func (d HardDistillation) Gradient(
	n, classes int, logits, teacher []float32, labels []int32, dlogits []float32,
) float64 {
	clear(dlogits[:n*classes])
	loss, weight := 0.0, 0.5/float64(n)
	for i := range n {
		row, grad := logits[i*classes:][:classes], dlogits[i*classes:][:classes]
		loss += addSmoothed(row, int(labels[i]), d.Smoothing, weight, grad)
		loss += addCrossEntropy(row, argmax(teacher[i*classes:][:classes]), weight, grad)
	}
	return loss
}

// Gradient implements Loss.
func (d SoftDistillation) Gradient(
	n, classes int, logits, teacher []float32, labels []int32, dlogits []float32,
) float64 {
	clear(dlogits[:n*classes])
	loss := 0.0
	for i := range n {
		row, grad := logits[i*classes:][:classes], dlogits[i*classes:][:classes]
		loss += addSmoothed(row, int(labels[i]), d.Smoothing, (1-d.Lambda)/float64(n), grad)

		// d/dz τ²·KL = τ·(softmax(z/τ) − softmax(t/τ)).
		guide := teacher[i*classes:][:classes]
		student, tutor := logSumExp(row, d.Tau), logSumExp(guide, d.Tau)
		weight := d.Lambda * d.Tau * d.Tau / float64(n)
		for c := range classes {
			logQ, logP := float64(row[c])/d.Tau-student, float64(guide[c])/d.Tau-tutor
			p := math.Exp(logP)
			loss += weight * p * (logP - logQ)
			grad[c] += float32(weight / d.Tau * (math.Exp(logQ) - p))
		}
	}
	return loss
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
