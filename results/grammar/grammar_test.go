package grammar

import "testing"

func TestCount(t *testing.T) {
	for n, want := range []string{"0 images are gone", "1 image is gone", "2 images are gone"} {
		if got := Count(n, "image is gone", "images are gone"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
