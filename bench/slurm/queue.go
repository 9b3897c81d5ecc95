package slurm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Task is a job's place in Slurm.
type Task struct {
	Array int `json:"array"` // the array's job id
	Index int `json:"index"` // in it
}

// String is the name that Slurm's commands know the task by.
func (t Task) String() string { return fmt.Sprintf("%d_%d", t.Array, t.Index) }

// TaskState is what Slurm says of a task.
type TaskState struct {
	State  string `json:"state"` // PENDING, RUNNING, COMPLETING, …: squeue(1), "Job state codes"
	Node   string `json:"node,omitempty"`
	Reason string `json:"reason,omitempty"` // why it is pending, or has failed
}

// ended are the states that a task does not leave by itself. One that is not known here is
// taken for one that it does: better to wait for a task than to run its job twice.
var ended = []string{
	"BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL",
	"OUT_OF_MEMORY", "PREEMPTED", "REVOKED", "TIMEOUT",
}

// active reports whether the task waits, runs or is ending. One that Slurm does not know, the zero state, is not.
func (s TaskState) active() bool { return s.State != "" && !slices.Contains(ended, s.State) }

// String is the state as people write it: "running on node7", "pending (Resources)".
func (s TaskState) String() string {
	text := strings.ToLower(strings.ReplaceAll(s.State, "_", " "))
	if s.Node != "" {
		text += " on " + s.Node
	}
	if s.Reason != "" {
		text += " (" + s.Reason + ")"
	}
	return text
}

// queueFormat has a task's array, index, state, nodes and reason, which alone may hold the separator.
const queueFormat = "%F|%K|%T|%N|%r"

// queue asks what Slurm knows of the arrays' tasks: all that wait or run, and for some minutes
// those that have ended.
func queue(ctx context.Context, arrays []int) (map[Task]TaskState, error) {
	if len(arrays) == 0 {
		return map[Task]TaskState{}, nil
	}
	var ids []string
	for _, id := range arrays {
		ids = append(ids, strconv.Itoa(id))
	}
	out, err := command(ctx, nil, "squeue", "--noheader", "--array", "--states=all",
		"--jobs="+strings.Join(ids, ","), "--format="+queueFormat)
	if errors.Is(err, errRefused) && strings.Contains(err.Error(), "Invalid job id") {
		return map[Task]TaskState{}, nil // it has forgotten all of them
	}
	if err != nil {
		return nil, err
	}
	tasks, err := parseQueue(out)
	if err != nil {
		return nil, fmt.Errorf("squeue: %w", err)
	}
	return tasks, nil
}

// parseQueue reads lines of queueFormat.
func parseQueue(out string) (map[Task]TaskState, error) {
	tasks := map[Task]TaskState{}
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) == "" {
			continue
		}
		fields := strings.SplitN(line, "|", 5)
		if len(fields) < 5 {
			return nil, fmt.Errorf("%d fields in %q, want %s", len(fields), line, queueFormat)
		}
		for i := range fields {
			fields[i] = strings.TrimSpace(fields[i])
		}
		array, err := strconv.Atoi(fields[0])
		if err != nil || array < 1 {
			return nil, fmt.Errorf("no job id in %q", line)
		}
		index, err := strconv.Atoi(fields[1])
		if err != nil || index < 0 {
			return nil, fmt.Errorf("no array index in %q", line)
		}
		if fields[2] == "" {
			return nil, fmt.Errorf("no state in %q", line)
		}
		if fields[4] == "None" {
			fields[4] = ""
		}
		tasks[Task{array, index}] = TaskState{State: fields[2], Node: fields[3], Reason: fields[4]}
	}
	return tasks, nil
}

// namedArray looks for the array of that name, 0 if there is none.
func namedArray(ctx context.Context, name string) (int, error) {
	out, err := command(ctx, nil, "squeue", "--noheader", "--states=all", "--name="+name, "--format=%F")
	if err != nil {
		return 0, err
	}
	if strings.TrimSpace(out) == "" {
		return 0, nil
	}
	id, err := parseJobID(out)
	if err != nil {
		return 0, fmt.Errorf("squeue --name=%s: %w", name, err)
	}
	return id, nil
}
