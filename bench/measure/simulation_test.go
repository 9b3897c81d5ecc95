package measure

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/reidbench/reidbench/models"
)

// TestSimulate: a convolution of four equal tasks, and a layer with serial work, a single task and two tasks.
func TestSimulate(t *testing.T) {
	const s = time.Second
	pieces := []simulatedPiece{
		{layer: "conv", op: "Conv2d 3", phase: "forward", jobs: [][]time.Duration{{2 * s, 2 * s, 2 * s, 2 * s}}},
		{layer: "fc", op: "Linear", phase: "forward", serial: s, jobs: [][]time.Duration{{s}, {3 * s, 3 * s}}},
	}
	conv := SimulatedKernel{Layer: "conv", Op: "Conv2d 3", Phase: "forward", Tasks: 4, Longest: 2, Alone: 8, Seconds: 2}
	fc := SimulatedKernel{
		Layer: "fc", Op: "Linear", Phase: "forward", Tasks: 2, Longest: 3, Serial: 2, Alone: 8, Seconds: 5,
		Idle: (4*5. - 8) / (4 * 7), // of four threads' 7 seconds
	}
	want := &Simulation{
		Seconds: 16, AllSerial: 2,
		Threads: []SimulatedThreads{{2, 9, 16. / 18}, {4, 7, 16. / 28}},
		Serial:  []SimulatedKernel{fc, conv}, Idle: []SimulatedKernel{fc, conv},
	}
	var cutFor []int
	got, err := simulate([]int{2, 4}, func(threads int) ([]simulatedPiece, error) {
		cutFor = append(cutFor, threads)
		return pieces, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{1, 2, 4}, cutFor); diff != "" {
		t.Errorf("the work is cut for other threads (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-12)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestSimulated: a simulation on one thread is the step itself, with everything that a step does.
func TestSimulated(t *testing.T) {
	m, err := models.Lookup("lenet")
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []Mode{TrainMode, InferMode} {
		measured, err := Run(t.Context(), Config{
			Mode: mode, Models: []models.Model{m}, Batch: 16, Steps: 1, Threads: 2, Simulate: []int{1, 4},
		})
		if err != nil {
			t.Fatal(err)
		}
		s := measured[0].Simulation
		if s.Threads[0].Efficiency != 1 || s.Threads[0].Seconds != s.Seconds || s.Threads[1].Seconds > s.Seconds {
			t.Errorf("%s: %v s on one thread, simulated %+v", mode, s.Seconds, s.Threads)
		}
		adam, seen := 0, map[string]bool{}
		for _, k := range s.Idle {
			if phase := k.Layer + " " + k.Phase; seen[phase] {
				t.Errorf("%s: %s is there for every micro-batch", mode, phase)
			} else {
				seen[phase] = true
			}
			if k.Layer == "" {
				adam = k.Tasks
			}
		}
		if (adam > 0) != (mode == TrainMode) { // LeNet's 60,000 parameters are several tasks
			t.Errorf("%s: Adam in %d tasks", mode, adam)
		}
	}
}
