// Package parallel answers which thread does what: a [Pool] of threads runs the tasks of one [Job] at a time, and the
// functions of this package cut work into tasks.
//
// The cut depends on shapes alone, never on the number of threads, and partial sums of tasks are added in the order of
// the tasks: so results do not depend on the number of threads either.
package parallel
