//go:build unix

package market1501

import (
	"context"
	"math/rand/v2"
	"syscall"
	"testing"
)

// The whole evaluation of 3,368 queries against 15,913 images with 2,048 features: time, and the most memory that the
// process has held, the features included.
func BenchmarkEvaluate(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	query, gallery := randomFeatures(r, 3368, 2048, 750, 6, 9), randomFeatures(r, 15913, 2048, 750, 6, 9)
	for _, c := range []struct {
		name   string
		rerank Rerank
	}{{"plain", Rerank{}}, {"reranked", PublishedRerank()}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := Evaluate(context.Background(), query, gallery, EvalConfig{Rerank: c.rerank}); err != nil {
					b.Fatal(err)
				}
			}
			reportPeakMemory(b)
		})
	}
}

func reportPeakMemory(b *testing.B) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(usage.Maxrss)/1024, "peak-MiB") // in KiB on Linux
}
