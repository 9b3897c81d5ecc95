package results

// A State says how far a job is. A [Record], which is written at a job's end, has [StateDone] or [StateFailed].
type State string

// The states. A plan only looks at a job's folder, by which it tells new, begun, done and doomed jobs apart.
const (
	StateNotRun      State = "not run"     // of a published row: there is no job
	StateNew         State = "new"         // it has no folder yet
	StateDoomed      State = "doomed"      // it is going to fail: it cannot be built, or does not fit into memory
	StateWaiting     State = "waiting"     // it has a folder, and nothing of it has been trained
	StateBegun       State = "begun"       // it has a folder, and is not done
	StateRunning     State = "running"     // a process works on it
	StateInterrupted State = "interrupted" // it goes on when its command is repeated
	StateFailed      State = "failed"      // it is tried again when its command is repeated
	StateDone        State = "done"
	StateUnknown     State = "unknown" // its folder cannot be read
)
