package market1501

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDecodedDigestSeesEverything(t *testing.T) {
	pixels := []byte{1, 2, 3, 4, 5, 6}
	digest := func(names [2]string, labels [2]int32, pixels []byte) string {
		images, err := NewImages(1, 1,
			[]Entry{{Path: names[0], Label: labels[0]}, {Path: names[1], Label: labels[1]}}, pixels)
		if err != nil {
			t.Fatal(err)
		}
		d := NewDecoded()
		d.Add(images)
		return d.Digest()
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

func TestDecodedCountsSplits(t *testing.T) {
	broken := func(path string) []BrokenImage { return []BrokenImage{{Path: path, Err: ErrImage}} }
	d := NewDecoded()
	for _, images := range []*Images{
		{Folder: queryFolder, Height: 1, Width: 1, entries: make([]Entry, 2), pix: make([]byte, 6)},
		{Folder: galleryFolder, Height: 1, Width: 1, entries: make([]Entry, 1), pix: make([]byte, 3),
			Broken: broken("a.jpg")},
		{Folder: galleryFolder, Height: 1, Width: 1, entries: make([]Entry, 3), pix: make([]byte, 9),
			Broken: broken("b.jpg")},
	} {
		d.Add(images)
	}
	type split struct {
		Folder  string
		Used    int
		Reasons string
	}
	var got []split
	for _, s := range d.Splits {
		got = append(got, split{s.Folder, s.Used, s.Reasons()})
	}
	if diff := cmp.Diff([]split{
		{queryFolder, 2, ""},
		{galleryFolder, 4, "a.jpg (unreadable image), b.jpg (unreadable image)"},
	}, got); diff != "" {
		t.Error(diff)
	}
}
