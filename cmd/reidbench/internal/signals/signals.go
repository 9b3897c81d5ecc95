// Package signals catches what asks the program to end, before the other packages are initialised: that takes a tenth
// of a second on a busy machine. For that it imports nothing but what catching them needs: Go initialises packages in
// the order of their paths, as soon as those that they import are ready.
package signals

import (
	"os"
	"os/signal"
	"syscall"
)

// Ending delivers what asks a process to end: Ctrl-C, SIGTERM, and SIGHUP unless the process was started to ignore it,
// as by nohup. From now on a closed standard output or error ends nothing: writing to it fails.
var Ending = caught()

func caught() <-chan os.Signal {
	ending := make(chan os.Signal, 4)
	signal.Notify(ending, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(ending, syscall.SIGHUP)
	}
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	return ending
}
