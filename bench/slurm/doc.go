// Package slurm runs the jobs of a benchmark as tasks of Slurm job arrays.
//
// The folder of results, shared between the nodes, is all that joins client and
// tasks: [Executor.Run] puts a copy of the program into it, submits an array with a
// task for each job, distilled ones in an array of their own that depends on their
// teacher's task, and notes what it submitted. Which jobs are done the folder says;
// Slurm is asked only what still waits or runs. So the same call, made again from any
// machine, attaches to what is under way and submits again what has died.
//
// Slurm's commands are called as programs: sbatch, squeue, and scontrol by a task that
// requeues itself.
package slurm
