package parallel

import (
	"fmt"
	"runtime/debug"
)

// A Panic is one that has become an error.
type Panic struct {
	cause any
	stack []byte
}

// Error says what it was about.
func (p *Panic) Error() string { return fmt.Sprintf("panic: %v", p.cause) }

// Stack says where it came from.
func (p *Panic) Stack() []byte { return p.stack }

// Guard returns work's error, or its panic as one: a [*Panic]. Left alone, a panic in any goroutine ends the process.
func Guard(work func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = &Panic{cause, debug.Stack()}
		}
	}()
	return work()
}
