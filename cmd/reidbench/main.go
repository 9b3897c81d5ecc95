// Reidbench trains and evaluates backbones for person re-identification side by side and
// tells what each of them costs. Run it without arguments for its commands.
package main

import (
	"context"
	"os"

	"github.com/reidbench/reidbench/cmd/reidbench/internal/signals"
)

func main() {
	ctx, cancel := context.WithCancelCause(context.Background())
	go newPatience(cancel).heed(signals.Ending)
	os.Exit(run(ctx, os.Args[1:], whileRead(os.Stdout), whileRead(os.Stderr)))
}
