package results

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBelowShared(t *testing.T) {
	for _, test := range []struct{ files, want []string }{
		{nil, []string{}},
		{[]string{"query/a.jpg"}, []string{"a.jpg"}},
		{[]string{"a.jpg", "query/b.jpg"}, []string{"a.jpg", "query/b.jpg"}},
		{[]string{"query/a.jpg", "query/b.jpg"}, []string{"a.jpg", "b.jpg"}},
		{[]string{"/data/set/cam1/a.jpg", "/data/set/cam10/a.jpg"}, []string{"cam1/a.jpg", "cam10/a.jpg"}},
		{[]string{"/x/a.jpg", "/y/b.jpg"}, []string{"x/a.jpg", "y/b.jpg"}},
		{[]string{"../x/a.jpg", "../x/y/b.jpg"}, []string{"a.jpg", "y/b.jpg"}},
	} {
		images, got := make([]Image, len(test.files)), []string{}
		for i, file := range test.files {
			images[i] = Image{File: file, PID: int32(i)}
		}
		for i, image := range BelowShared(images) {
			if image.PID != int32(i) {
				t.Errorf("%q: image %d is of another", test.files, i)
			}
			got = append(got, image.File)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", test.files, diff)
		}
	}
}
