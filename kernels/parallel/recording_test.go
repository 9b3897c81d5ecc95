package parallel

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestMakespan(t *testing.T) {
	for _, test := range []struct {
		name    string
		tasks   []time.Duration
		threads int
		want    time.Duration
	}{
		{"no tasks", nil, 4, 0},
		{"one thread", []time.Duration{3, 1, 2}, 1, 6},
		{"as many threads as tasks", []time.Duration{3, 1, 2}, 3, 3},
		{"more threads than tasks", []time.Duration{3, 1, 2}, 8, 3},
		{"equal shares", []time.Duration{1, 1, 1, 1}, 2, 2},
		// The first has three tasks and the second two. That is done at 2, and takes the first one's last.
		{"a share's last task goes to who is done", []time.Duration{2, 2, 3, 1, 1}, 2, 5},
		// The first comes to the 9 at 2.
		{"a long task at the end of a share", []time.Duration{1, 1, 9, 1, 1, 1}, 2, 11},
		{"a long task in the middle", []time.Duration{1, 9, 1, 1, 1, 1}, 2, 10},
	} {
		if got := Makespan(test.tasks, test.threads); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}

// TestMakespanBounds: no thread waits while a task is left, so that Graham's bound holds ("Bounds on multiprocessing
// timing anomalies", 1969, section 2): what all take together by the threads, and a longest task but for its part of
// that.
func TestMakespanBounds(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		tasks := make([]time.Duration, 1+random.IntN(100))
		var sum time.Duration
		for i := range tasks {
			tasks[i] = time.Duration(random.IntN(1000))
			sum += tasks[i]
		}
		threads := 1 + random.IntN(40)
		longest, n := slices.Max(tasks), time.Duration(threads)
		got := Makespan(tasks, threads)
		if got < longest || got*n < sum || got*n > sum+longest*(n-1) {
			t.Fatalf("%d tasks of %d in all, the longest %d, take %d on %d threads",
				len(tasks), sum, longest, got, threads)
		}
	}
}

type orderJob struct{ order *[]int }

func (j orderJob) Do(task, worker int) { *j.order = append(*j.order, 10*worker+task) }

func TestRecording(t *testing.T) {
	p := NewPool(3)
	defer p.Close()
	var order []int
	r := p.StartRecording()
	p.Run(3, orderJob{&order})
	p.Run(0, orderJob{&order})
	p.Run(2, orderJob{&order})
	p.StopRecording()
	p.Run(1, orderJob{&order})
	if want := []int{0, 1, 2, 0, 1, 0}; !slices.Equal(order, want) { // all by worker 0, in their order
		t.Errorf("run %v, want %v", order, want)
	}
	var sizes []int
	for _, job := range r.Jobs {
		sizes = append(sizes, len(job))
	}
	if want := []int{3, 0, 2}; !slices.Equal(sizes, want) {
		t.Errorf("jobs of %v tasks are recorded, want %v", sizes, want)
	}
}
