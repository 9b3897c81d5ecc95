package slurm

import (
	"fmt"
	"strings"
)

// exitContinue is the exit code of a program that was told to end and goes on when it is run again.
const exitContinue = 75

// script is the batch script of every task: the program's command line, to which its CPUs are added, and the number of
// its job: first, and the index in the array. It passes on the notice that the time is nearly up, and has
// Slurm run the task again where the program says that it is to go on; but not where Slurm itself has ended the task:
// one that was preempted is requeued already, one that was cancelled is not to be.
func script(program string, args []string, first int) string {
	words := []string{quote(program)}
	for _, a := range args {
		words = append(words, quote(a))
	}
	return fmt.Sprintf(`#!/bin/bash
task=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID program= told=
trap 'told=yes; [ -z "$program" ] || kill -TERM $program' TERM # before there is a program to tell, it waits
%s --threads="$SLURM_CPUS_PER_TASK" --task="$((%d + SLURM_ARRAY_TASK_ID))" &
program=$!
[ -z "$told" ] || kill -TERM $program
while told=; wait $program; code=$?; [ "$told" ]; do :; done # a signal cuts wait short
if [ $code = %d ] && [ "$(squeue --noheader --jobs="$task" --format=%%T)" = RUNNING ]; then
	exec scontrol requeue "$task"
fi
exit $code
`, strings.Join(words, " "), first, exitContinue)
}

// quote makes one word of the shell of s.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
