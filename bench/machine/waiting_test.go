package machine

import (
	"testing"
	"testing/fstest"
	"time"
)

func TestSpent(t *testing.T) {
	for name, test := range map[string]struct {
		threads map[string]string
		want    CPUTime // none: not known
	}{
		"two threads":       {map[string]string{"7": "5000 300 2\n", "12": "1000 20 1\n"}, CPUTime{6000, 320}},
		"not Linux":         {},
		"without counting":  {map[string]string{"7": "0 0\n"}, CPUTime{}},
		"no numbers of ns":  {map[string]string{"7": "5000 a 2\n"}, CPUTime{}},
		"neither are these": {map[string]string{"7": "5.0 30 2\n"}, CPUTime{}},
	} {
		root := fstest.MapFS{}
		for thread, text := range test.threads {
			root["proc/self/task/"+thread+"/schedstat"] = &fstest.MapFile{Data: []byte(text)}
		}
		if got := spent(root); got != test.want {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
}

func TestWaitedShare(t *testing.T) {
	before := CPUTime{Ran: time.Second, Waited: time.Minute}
	for _, test := range []struct {
		after CPUTime
		want  float64
	}{
		{before, 0},
		{CPUTime{4 * time.Second, time.Minute + time.Second}, 0.25},
		{CPUTime{4 * time.Second, time.Minute + time.Millisecond/4}, 0},
		{CPUTime{4 * time.Second, time.Second}, 0}, // one that had waited long has ended
		{CPUTime{0, time.Hour}, 1},
	} {
		if got := test.after.WaitedShare(before); float64(got) != test.want {
			t.Errorf("%+v after %+v: %v, want %v", test.after, before, got, test.want)
		}
	}
}
