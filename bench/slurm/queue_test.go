package slurm

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseQueue(t *testing.T) {
	got, err := parseQueue("12|0|RUNNING|node[1-2]|None\n\n12|7|PENDING||(ReqNodeNotAvail, UnavailableNodes:a|b)\r\n " +
		"13 | 3 | CANCELLED | | None")
	want := map[Task]TaskState{
		{12, 0}: {State: "RUNNING", Node: "node[1-2]"},
		{12, 7}: {State: "PENDING", Reason: "(ReqNodeNotAvail, UnavailableNodes:a|b)"},
		{13, 3}: {State: "CANCELLED"},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, test := range []struct{ line, want string }{
		{"slurm_load_jobs error: Invalid", "1 fields"},
		{"12|0|RUNNING|node1", "4 fields"},
		{"12_0|0|RUNNING||None", "no job id"},
		{"0|0|RUNNING||None", "no job id"},
		{"12|N/A|RUNNING||None", "no array index"},
		{"12|[0-3%2]|PENDING||None", "no array index"},
		{"12|-1|PENDING||None", "no array index"},
		{"12|1|||None", "no state"},
	} {
		if tasks, err := parseQueue(test.line); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v, error %v, want one with %q", test.line, tasks, err, test.want)
		}
	}
}

func FuzzParseQueue(f *testing.F) {
	f.Add("12|0|RUNNING|node1|None\n13|1|PENDING||Dependency\n")
	f.Add("12|N/A|PENDING||x")
	f.Add("||||")
	f.Fuzz(func(t *testing.T, out string) {
		tasks, err := parseQueue(out)
		if err != nil && tasks != nil {
			t.Errorf("tasks beside the error %v", err)
		}
		for task, state := range tasks {
			if task.Array < 1 || task.Index < 0 || state.State == "" || !strings.Contains(out, state.State) {
				t.Errorf("%q gives %v %+v", out, task, state)
			}
		}
	})
}

func FuzzParseJobID(f *testing.F) {
	for _, out := range []string{"12\n", "12;cluster", "", ";", "-1", "0", "Submitted batch job 12"} {
		f.Add(out)
	}
	f.Fuzz(func(t *testing.T, out string) {
		if id, err := parseJobID(out); (id > 0) != (err == nil) {
			t.Errorf("%q gives %d and the error %v", out, id, err)
		}
	})
}

func TestParseJobID(t *testing.T) {
	for out, want := range map[string]int{
		"12\n": 12, "12;east\n": 12,
		"*** project 7 was charged ***\n12\n": 12, "3 nodes are free\n12;east\nThank you\n": 12,
		"11\n12\n": 12, "": 0, "0\n": 0, "Submitted batch job 12": 0,
	} {
		if id, err := parseJobID(out); id != want || (err == nil) != (want > 0) {
			t.Errorf("%q gives %d, %v; want %d", out, id, err, want)
		}
	}
}

func TestActive(t *testing.T) {
	for state, want := range map[string]bool{
		"": false, "PENDING": true, "RUNNING": true, "COMPLETING": true, "REQUEUE_HOLD": true, "OF_ANOTHER_AGE": true,
		"COMPLETED": false, "FAILED": false, "NODE_FAIL": false, "CANCELLED": false, "TIMEOUT": false,
		"OUT_OF_MEMORY": false,
	} {
		if got := (TaskState{State: state}).active(); got != want {
			t.Errorf("%q: active is %v, want %v", state, got, want)
		}
	}
}

func TestIndexList(t *testing.T) {
	for _, test := range []struct {
		indices []int
		limit   int
		want    string
	}{
		{[]int{0}, 0, "0"},
		{[]int{0, 1}, 0, "0-1"},
		{[]int{0, 1, 2, 5, 8, 9}, 4, "0-2,5,8-9%4"},
	} {
		if got := indexList(test.indices, test.limit); got != test.want {
			t.Errorf("%v, at most %d: %q, want %q", test.indices, test.limit, got, test.want)
		}
	}
}

func FuzzParseSubmission(f *testing.F) {
	f.Add([]byte(`{"format":"reidbench-slurm/1","arrays":[{"id":12,"name":"n","flags":["--out=x"],` +
		`"tasks":[{"index":0,"job":"osnet@2"}]}]}`))
	f.Add([]byte(`{"format":"reidbench-slurm/2"}`))
	f.Add([]byte(`{`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := parseSubmission(data)
		if err == nil && s.Format != submissionFormat {
			t.Errorf("a submission of the format %q is taken", s.Format)
		}
		for _, a := range s.Arrays {
			for _, task := range a.Tasks {
				s.place(task.Job)
			}
		}
	})
}
