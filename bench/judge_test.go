package bench

import "testing"

func TestChunksAreEqual(t *testing.T) {
	for n, want := range map[int]int{1: 1, chunk: chunk, chunk + 1: chunk/2 + 1, 15913: 498} {
		if got := chunkOf(n); got != want {
			t.Errorf("chunks of %d for %d images, want %d", got, n, want)
		}
	}
}
