package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// sameRequest is how long signals may follow each other and still be one request: one may come to the process and
// to its group, or SIGTERM with SIGHUP.
const sameRequest = time.Second

// patience is what a command has with those who want it to end.
type patience struct {
	now  func() time.Time
	end  func(cause error) // ends the command's context
	exit func(code int)    // ends the process at once
}

// newPatience is a process's own; cancel ends the context of its command.
func newPatience(cancel context.CancelCauseFunc) patience {
	return patience{
		now: time.Now,
		end: func(cause error) {
			signal.Reset(os.Interrupt) // the next Ctrl-C finds no handler, and ends the process by itself
			cancel(cause)
		},
		exit: os.Exit,
	}
}

// heed ends the command at the first signal, and the process at the second. That costs no more than a kill.
func (p patience) heed(signals <-chan os.Signal) {
	first, at := <-signals, p.now()
	if first == os.Interrupt {
		p.end(nil)
	} else {
		p.end(errTerminated)
	}
	for range signals {
		if first == os.Interrupt || p.now().Sub(at) >= sameRequest {
			p.exit(exitContinue)
		}
	}
}

// whileRead writes to a file for as long as somebody reads it. After that there is nobody to tell, which is no reason
// to lose work: tee ends with the same Ctrl-C, head after a few lines.
func whileRead(f *os.File) io.Writer {
	if terminalWidth(f) > 0 {
		return f
	}
	return readersPipe{f}
}

type readersPipe struct{ io.Writer }

func (p readersPipe) Write(text []byte) (int, error) {
	n, err := p.Writer.Write(text)
	if errors.Is(err, syscall.EPIPE) {
		return len(text), nil
	}
	return n, err
}
