package slurm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

var (
	// ErrMissing is wrapped by the error for a machine without Slurm's commands.
	ErrMissing = errors.New("no Slurm on this machine")
	// errRefused is wrapped by the error for a command that Slurm refuses; the text is Slurm's own.
	errRefused = errors.New("refused by Slurm")
)

// command runs one of Slurm's programs and returns its standard output.
func command(ctx context.Context, stdin io.Reader, name string, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	c := exec.CommandContext(ctx, name, args...)
	c.Stdin, c.Stdout, c.Stderr = stdin, &stdout, &stderr
	err := c.Run()
	exit := (*exec.ExitError)(nil)
	switch {
	case err == nil:
		return stdout.String(), nil
	case errors.Is(err, exec.ErrNotFound):
		return "", fmt.Errorf("%w: %w", ErrMissing, err)
	case ctx.Err() != nil:
		return "", ctx.Err()
	case errors.As(err, &exit):
		words := strings.TrimSpace(stderr.String())
		if words == "" {
			words = fmt.Sprintf("%s says nothing, %v", name, exit)
		}
		return "", fmt.Errorf("%w: %s", errRefused, words)
	}
	return "", fmt.Errorf("run %s: %w", name, err)
}

// submit hands a batch script to sbatch and returns the id of its job array, 0 if Slurm may have taken it without
// telling.
func submit(ctx context.Context, script string, args []string) (id int, err error) {
	// Cut off in the middle, it would leave an array that nobody knows of.
	out, err := command(context.WithoutCancel(ctx), strings.NewReader(script), "sbatch",
		append([]string{"--parsable"}, args...)...)
	if err != nil {
		return 0, err
	}
	id, err = parseJobID(out)
	if err != nil {
		return 0, fmt.Errorf("sbatch --parsable: %w: %w", errUnanswered, err)
	}
	return id, nil
}

// errUnanswered is wrapped by the error of a submission that may have reached Slurm.
var errUnanswered = errors.New("its answer is not an id")

// mayBeSubmitted reports whether Slurm may have taken what sbatch has failed with: its client gives up waiting for a
// busy controller, which goes on.
func mayBeSubmitted(err error) bool {
	return errors.Is(err, errUnanswered) ||
		errors.Is(err, errRefused) && strings.Contains(strings.ToLower(err.Error()), "timed out")
}

// parseJobID reads what sbatch --parsable prints: the id, and ";cluster" where there are several. Sites have sbatch
// print more than that, as a rule before it: the last line that is an id is taken.
func parseJobID(out string) (int, error) {
	lines := strings.Split(out, "\n")
	for _, line := range slices.Backward(lines) {
		digits, _, _ := strings.Cut(strings.TrimSpace(line), ";")
		if id, err := strconv.Atoi(digits); err == nil && id > 0 {
			return id, nil
		}
	}
	return 0, fmt.Errorf("no job id in %q", out)
}

// defaultArraySize is Slurm's MaxArraySize where a cluster sets none.
const defaultArraySize = 1001

// arraySize is the cluster's MaxArraySize: array indices are below it.
func arraySize(ctx context.Context) int {
	out, err := command(ctx, nil, "scontrol", "show", "config")
	if err != nil {
		return defaultArraySize
	}
	for line := range strings.Lines(out) {
		name, value, _ := strings.Cut(line, "=")
		size, err := strconv.Atoi(strings.TrimSpace(value))
		if err == nil && strings.TrimSpace(name) == "MaxArraySize" {
			return max(size, 1)
		}
	}
	return defaultArraySize
}
