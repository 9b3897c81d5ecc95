package plots

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParetoFront(t *testing.T) {
	for name, c := range map[string]struct {
		samples []sample
		want    []int
	}{
		"stairs":            {[]sample{{3, 30}, {1, 10}, {2, 20}}, []int{1, 2, 0}},
		"one beats all":     {[]sample{{3, 30}, {1, 40}, {2, 20}}, []int{1}},
		"same cost":         {[]sample{{1, 10}, {1, 20}}, []int{1}},
		"same accuracy":     {[]sample{{2, 10}, {1, 10}}, []int{1}},
		"equal in both":     {[]sample{{1, 10}, {1, 10}, {2, 5}}, []int{0, 1}},
		"none":              {nil, nil},
		"beaten in between": {[]sample{{1, 10}, {2, 9}, {3, 11}}, []int{0, 2}},
	} {
		if diff := cmp.Diff(c.want, paretoFront(c.samples)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
