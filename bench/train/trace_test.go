package train

import (
	"slices"
	"testing"
)

// TestTrace: a step that is traced has all steps of the list with all of the pool's jobs, and the bits of any other.
func TestTrace(t *testing.T) {
	plain, plainWeights := sampleProgram(t, samples[0], 2, Options{Stage: Everything})
	traced, tracedWeights := sampleProgram(t, samples[0], 2, Options{Stage: Everything})
	recording := traced.pool.StartRecording()
	trace := traced.StartTrace(recording)
	if x, y := plain.Train(3, 0), traced.Train(3, 0); x != y {
		t.Errorf("loss %v, traced %v", x, y)
	}
	traced.StopTrace()
	traced.pool.StopRecording()
	if !slices.Equal(plain.gradients, traced.gradients) || !slices.Equal(plainWeights.running, tracedWeights.running) {
		t.Error("gradients or running statistics differ")
	}
	if got, want := len(trace.Steps), len(traced.forward)+len(traced.backward); got != want {
		t.Errorf("%d traced of %d steps", got, want)
	}
	jobs := 0
	for _, s := range trace.Steps {
		jobs += len(s.Jobs)
		var tasks int64
		for _, job := range s.Jobs {
			for _, took := range job {
				tasks += int64(took)
			}
		}
		if tasks > int64(s.Time) {
			t.Errorf("%s %s: tasks of %d ns in a step of %d", s.Node.Name, s.Phase, tasks, s.Time)
		}
	}
	if len(trace.Between) != 1 { // the loss
		t.Errorf("%d jobs between the steps", len(trace.Between))
	}
	if jobs == 0 || jobs+1 != len(recording.Jobs) {
		t.Errorf("the steps have %d jobs, recorded are %d", jobs, len(recording.Jobs))
	}
	traced.Train(3, 1)
	if len(recording.Jobs) != jobs+1 {
		t.Error("a step after the trace is recorded")
	}
}
