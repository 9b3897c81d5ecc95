package conv

import (
	"fmt"
	"testing"

	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/measure"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// benchShapes are layers of the bench's models, with a batch that makes each take some milliseconds.
var benchShapes = []struct {
	n int
	s Shape
}{
	{8, Shape{H: 256, W: 128, C: 3, OutC: 64, KH: 7, KW: 7, SH: 2, SW: 2, PH: 3, PW: 3, Groups: 1}},
	{8, Shape{H: 64, W: 32, C: 64, OutC: 64, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1}},
	{8, Shape{H: 16, W: 8, C: 256, OutC: 256, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1}},
	{32, Shape{H: 8, W: 4, C: 512, OutC: 512, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1}},
	{8, Shape{H: 64, W: 32, C: 64, OutC: 256, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}},
	{32, Shape{H: 16, W: 8, C: 1024, OutC: 256, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}},
	{8, Shape{H: 32, W: 16, C: 512, OutC: 1024, KH: 1, KW: 1, SH: 2, SW: 2, Groups: 1}},
	{32, Shape{H: 1, W: 129, C: 192, OutC: 768, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}},
	{32, Shape{H: 1, W: 1, C: 9216, OutC: 4096, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}},
	{32, Shape{H: 64, W: 32, C: 64, OutC: 64, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 64}},
	{32, Shape{H: 32, W: 16, C: 96, OutC: 96, KH: 5, KW: 5, SH: 2, SW: 2, PH: 2, PW: 2, Groups: 96}},
	{8, Shape{H: 32, W: 16, C: 256, OutC: 256, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 32}},
	{8, Shape{H: 64, W: 32, C: 128, OutC: 128, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 32}},
	{8, Shape{H: 16, W: 8, C: 576, OutC: 576, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 24}},
}

func BenchmarkConv(b *testing.B) {
	for _, threads := range []int{1, 2} {
		for _, shape := range benchShapes {
			s, n := shape.s, shape.n
			c, err := New(s)
			if err != nil {
				b.Fatal(err)
			}
			benchmarkDirections(b, convName(s), c, n, threads)
		}
	}
}

// benchmarkDirections measures a convolution of n samples and its gradients.
func benchmarkDirections(b *testing.B, name string, c *Conv, n, threads int) {
	x, y, w := make([]float32, n*c.inputSize()), make([]float32, n*c.outputSize()), make([]float32, c.s.Weights())
	ws := make([]float32, c.Workspace(n, threads))
	directions := []struct {
		name string
		run  func(p *parallel.Pool)
	}{
		{"forward", func(p *parallel.Pool) { c.Forward(p, n, y, x, w, Epilogue{}, ws) }},
		{"data", func(p *parallel.Pool) { c.BackwardData(p, n, x, y, w, nil, ws) }},
		{"weights", func(p *parallel.Pool) { c.BackwardWeights(p, n, w, nil, y, x, false, ws) }},
	}
	for _, direction := range directions {
		b.Run(fmt.Sprintf("%s/%s/threads=%d", name, direction.name, threads), func(b *testing.B) {
			p := parallel.NewPool(threads)
			defer p.Close()
			for b.Loop() {
				direction.run(p)
			}
			kerneltest.ReportSpeed(b, int64(n)*c.s.MACs(), measure.Peak(p, kerneltest.PeakTime))
		})
	}
}
