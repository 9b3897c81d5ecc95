package parallel

import "testing"

// The tasks of a pointwise kernel are its values, each once and in order.
func TestRange(t *testing.T) {
	for _, size := range []int{0, 1, TaskFloats - 1, TaskFloats, TaskFloats + 1, 5*TaskFloats + 7} {
		next := 0
		for task := range Tasks(size) {
			lo, hi := Range(task, size)
			if lo != next || hi <= lo || hi-lo > TaskFloats {
				t.Errorf("size %d: task %d is [%d,%d), want it to begin at %d", size, task, lo, hi, next)
			}
			next = hi
		}
		if next != size {
			t.Errorf("size %d: the tasks end at %d", size, next)
		}
	}
}

func TestPartials(t *testing.T) {
	const most = BlockRows * maxPartials // with a block for each task
	for _, rows := range []int{1, BlockRows, BlockRows + 1, most, most + 1, 1 << 20} {
		perTask, tasks := PartialRows(rows), Partials(rows)
		if perTask%BlockRows != 0 || tasks > maxPartials {
			t.Errorf("%d rows: %d tasks of %d rows", rows, tasks, perTask)
		}
		if tasks*perTask < rows || (tasks-1)*perTask >= rows {
			t.Errorf("%d rows: %d tasks of %d rows do not fit", rows, tasks, perTask)
		}
	}
}
