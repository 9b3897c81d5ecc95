// Package parallel answers which thread does what: a [Pool] of threads runs the tasks of one [Job] at a time, and the
// functions of this package cut work into tasks.
//
// How a sum is cut depends on shapes alone, never on the number of threads, and its parts are added in their order: so
// results do not depend on the number of threads either. That number may decide which sums make a task.
package parallel
