package kernels

import (
	"math"
	"testing"
)

// crossEntropyReference is the mean loss by its definition.
func crossEntropyReference(logits []float64, labels []int32, classes int) float64 {
	mean := 0.0
	for n, label := range labels {
		sum := 0.0
		for _, v := range logits[n*classes : (n+1)*classes] {
			sum += math.Exp(v)
		}
		mean += (math.Log(sum) - logits[n*classes+int(label)]) / float64(len(labels))
	}
	return mean
}

func TestCrossEntropy(t *testing.T) {
	const n, classes, h = 7, 13, 1e-5
	rng := newRand()
	logits := normal(rng, n*classes)
	labels := make([]int32, n)
	for i := range labels {
		labels[i] = int32(rng.IntN(classes))
	}
	dlogits, losses := make([]float32, n*classes), make([]float64, n)
	loss := NewCrossEntropy(classes)
	x := toFloat64(logits)
	want := crossEntropyReference(x, labels, classes)
	grad := make([]float64, len(x))
	for i, v := range x {
		x[i] = v + h
		up := crossEntropyReference(x, labels, classes)
		x[i] = v - h
		grad[i] = (up - crossEntropyReference(x, labels, classes)) / (2 * h)
		x[i] = v
	}
	for _, threads := range []int{1, 2, 3, 5} {
		pool := NewPool(threads)
		got := loss.Forward(pool, n, logits, labels, dlogits, losses)
		if math.Abs(got-want) > 1e-12 {
			t.Errorf("%d threads: loss %.17g, want %.17g", threads, got, want)
		}
		checkClose(t, "dlogits", dlogits, grad, 1e-7) // one rounding to float32
		if again := loss.Forward(pool, n, logits, labels, nil, losses); again != got {
			t.Errorf("%d threads: loss %g without the gradient, %g with it", threads, again, got)
		}
		pool.Close()
	}
}

func TestCrossEntropyExtremes(t *testing.T) {
	pool := NewPool(1)
	defer pool.Close()
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	losses := make([]float64, 1)
	tests := []struct {
		name   string
		logits []float32
		label  int32
		want   float64
	}{
		{"large", []float32{1e30, 0, -1e30}, 0, 0},
		{"far off", []float32{1000, 0, 0}, 1, 1000},
		{"excluded class", []float32{0, 0, -inf}, 0, math.Ln2},
		{"NaN", []float32{0, nan, 0}, 0, math.NaN()},
	}
	for _, test := range tests {
		got := NewCrossEntropy(3).Forward(pool, 1, test.logits, []int32{test.label}, make([]float32, 3), losses)
		if math.Abs(got-test.want) > 1e-12 || math.IsNaN(got) != math.IsNaN(test.want) {
			t.Errorf("%s: loss %g, want %g", test.name, got, test.want)
		}
	}
	for _, label := range []int32{-1, 3} {
		cause := func() (cause any) {
			defer func() { cause = recover() }()
			NewCrossEntropy(3).Forward(pool, 1, make([]float32, 3), []int32{label}, nil, losses)
			return nil
		}()
		if cause == nil {
			t.Errorf("label %d of 3 classes does not panic", label)
		}
	}
}
