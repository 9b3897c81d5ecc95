package slurm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
)

var (
	// ErrMissing is wrapped by the error for a machine without Slurm's commands.
	ErrMissing = errors.New("no Slurm on this machine")
	// ErrRefused is wrapped by the error for a command that Slurm refuses; the text is Slurm's own.
	ErrRefused = errors.New("refused by Slurm")
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
		return "", fmt.Errorf("%w: %s", ErrRefused, words)
	}
	return "", fmt.Errorf("run %s: %w", name, err)
}

// submit hands a batch script to sbatch and returns the id of its job array.
func submit(ctx context.Context, script string, args []string) (id int, err error) {
	// Cut off in the middle, it would leave an array that nobody knows of.
	out, err := command(context.WithoutCancel(ctx), strings.NewReader(script), "sbatch",
		append([]string{"--parsable"}, args...)...)
	if err != nil {
		return 0, err
	}
	id, err = parseJobID(out)
	if err != nil {
		return 0, fmt.Errorf("sbatch --parsable: %w", err)
	}
	return id, nil
}

// parseJobID reads what sbatch --parsable prints: the id, and ";cluster" where there are several.
func parseJobID(out string) (int, error) {
	digits, _, _ := strings.Cut(strings.TrimSpace(out), ";")
	id, err := strconv.Atoi(digits)
	if err != nil || id < 1 {
		return 0, fmt.Errorf("no job id in %q", out)
	}
	return id, nil
}
