package bench

import (
	"testing"

	"github.com/reidbench/reidbench/market1501"
)

func TestImagesDigestSeesEverything(t *testing.T) {
	pixels := []byte{1, 2, 3, 4, 5, 6}
	digest := func(names [2]string, labels [2]int32, pixels []byte) string {
		images, err := market1501.NewImages(1, 1,
			[]market1501.Entry{{Path: names[0], Label: labels[0]}, {Path: names[1], Label: labels[1]}}, pixels)
		if err != nil {
			t.Fatal(err)
		}
		d := newImagesDigest()
		d.add(images)
		return d.String()
	}
	same := digest([2]string{"a", "b"}, [2]int32{0, 1}, pixels)
	for name, other := range map[string]string{
		"name":  digest([2]string{"a", "c"}, [2]int32{0, 1}, pixels),
		"label": digest([2]string{"a", "b"}, [2]int32{0, 2}, pixels),
		"pixel": digest([2]string{"a", "b"}, [2]int32{0, 1}, []byte{1, 2, 3, 4, 5, 7}),
	} {
		if other == same {
			t.Errorf("another %s gives the same digest", name)
		}
	}
	if digest([2]string{"a", "b"}, [2]int32{0, 1}, pixels) != same {
		t.Error("the same images give two digests")
	}
}
