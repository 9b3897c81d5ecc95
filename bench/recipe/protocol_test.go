package recipe

import (
	"testing"

	"github.com/reidbench/reidbench/market1501"
)

func TestProtocolString(t *testing.T) {
	for want, p := range map[string]Protocol{
		"as published": {},
		"cosine distance, mean of image and mirror image, re-ranking with k1 = 5, k2 = 2, λ = 0.3": {
			Metric: market1501.Cosine, Flip: true, Rerank: market1501.Rerank{K1: 5, K2: 2, Lambda: 0.3},
		},
	} {
		if got := p.String(); got != want {
			t.Errorf("%+v is %q, want %q", p, got, want)
		}
	}
}
