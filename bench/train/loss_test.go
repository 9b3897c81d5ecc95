package train

import (
	"math"
	"testing"

	"github.com/reidbench/reidbench/kernels/parallel"
)

// The values of this table are derived by hand. With two classes and logits (a, b) the softmax
// is σ(a−b), and −log σ(0) = log 2.
func TestLosses(t *testing.T) {
	log2 := math.Log(2)
	sigma1 := 1 / (1 + math.Exp(-1.0))
	for _, test := range []struct {
		name            string
		loss            Loss
		logits, teacher []float32
		labels          []int32
		want            float64
		gradient        []float64
	}{
		{
			// Two samples at log 2 and −log σ(1), averaged.
			"cross-entropy", CrossEntropy{}, []float32{0, 0, 1, 0}, nil, []int32{1, 0},
			(log2 - math.Log(sigma1)) / 2,
			[]float64{0.25, -0.25, (sigma1 - 1) / 2, (1 - sigma1) / 2},
		},
		{
			// Label 0, teacher's choice 1: half of each, at equal logits the gradients cancel.
			"hard distillation, teacher disagrees", HardDistillation{}, []float32{0, 0}, []float32{1, 2}, []int32{0},
			log2, []float64{0, 0},
		},
		{
			// A quarter of the label's half goes to both classes: ½·(⅞, ⅛) + ½·(0, 1) is (7, 9)/16.
			"hard distillation, smoothed labels", HardDistillation{Smoothing: 0.25}, []float32{0, 0},
			[]float32{1, 2}, []int32{0}, log2, []float64{1. / 16, -1. / 16},
		},
		{
			"hard distillation, teacher agrees", HardDistillation{}, []float32{0, 0}, []float32{2, 1}, []int32{0},
			log2, []float64{-0.5, 0.5},
		},
		{
			// Student and teacher are equal, so only (1−λ) of the labels' loss is left.
			"soft distillation, same distribution", SoftDistillation{Tau: 3, Lambda: 0.1},
			[]float32{0, 0}, []float32{5, 5}, []int32{0},
			0.9 * log2, []float64{-0.45, 0.45},
		},
		{
			// λ = 1, τ = 2: teacher's logits (2, 0)/2 give p = σ(1), the student's (0, 0) give ½ each.
			// τ²·KL = 4·(p·log 2p + (1−p)·log 2(1−p)); its derivative by the first logit is 2·(½ − p).
			"soft distillation, teacher only", SoftDistillation{Tau: 2, Lambda: 1},
			[]float32{0, 0}, []float32{2, 0}, []int32{1},
			4 * (sigma1*math.Log(2*sigma1) + (1-sigma1)*math.Log(2*(1-sigma1))),
			[]float64{2 * (0.5 - sigma1), 2 * (sigma1 - 0.5)},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := len(test.labels)
			gradient := make([]float32, len(test.logits))
			got := lossOf(test.loss, n, test.logits, test.teacher, test.labels, gradient)
			// float64 arithmetic on float32 inputs that are exact; the gradient is rounded to float32 twice.
			if math.Abs(got-test.want) > 1e-12 {
				t.Errorf("loss %v, want %v", got, test.want)
			}
			for i, want := range test.gradient {
				if math.Abs(float64(gradient[i])-want) > 1e-7 {
					t.Errorf("gradient[%d] = %v, want %v", i, gradient[i], want)
				}
			}
		})
	}
}

// lossOf is the mean loss of n samples, and fills their gradients, on two threads.
func lossOf(loss Loss, n int, logits, teacher []float32, labels []int32, gradients []float32) float64 {
	pool := parallel.NewPool(2)
	defer pool.Close()
	of := batchLoss{
		Loss: loss, n: n, classes: len(logits) / n, logits: logits, teacher: teacher, gradients: gradients,
		labels: labels,
	}
	return of.run(pool)
}

// TestLossGradients compares with central differences; at a step of 2^-10 the error is of the
// order of its square.
func TestLossGradients(t *testing.T) {
	const n, classes, h = 2, 4, 1.0 / 1024
	logits := []float32{0.5, -1, 2, 0.25, -0.75, 1.5, 0, 3}
	teacher := []float32{1, 0.5, -2, 0, 2, -1, 0.25, 1}
	labels := []int32{2, 0}
	for _, loss := range []Loss{
		CrossEntropy{}, HardDistillation{}, SoftDistillation{Tau: 3, Lambda: 0.1}, CrossEntropy{Smoothing: 0.3},
		HardDistillation{Smoothing: 0.3}, SoftDistillation{Tau: 3, Lambda: 0.1, Smoothing: 0.3},
	} {
		gradient, scratch := make([]float32, n*classes), make([]float32, n*classes)
		lossOf(loss, n, logits, teacher, labels, gradient)
		for i := range logits {
			z := logits[i]
			logits[i] = z + h
			up := lossOf(loss, n, logits, teacher, labels, scratch)
			logits[i] = z - h
			down := lossOf(loss, n, logits, teacher, labels, scratch)
			logits[i] = z
			if want := (up - down) / (2 * h); math.Abs(float64(gradient[i])-want) > 1e-6 {
				t.Errorf("%T: gradient[%d] = %v, difference quotient %v", loss, i, gradient[i], want)
			}
		}
	}
}
