// Reidbench trains and evaluates backbones for person re-identification side by side and
// tells what each of them costs. Run it without arguments for its commands.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		if <-signals == syscall.SIGTERM {
			// More of these may come, to the process and to its group; SIGKILL is what ends patience.
			signal.Reset(os.Interrupt)
			cancel(errTerminated)
			return
		}
		signal.Stop(signals) // a second Ctrl-C finds no handler and ends the process at once
		cancel(nil)
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
