package market1501

import (
	"context"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/reidbench/reidbench/kernels/parallel"
)

// workerCount is n, or one per CPU if n is below 1.
func workerCount(n int) int {
	if n < 1 {
		return runtime.GOMAXPROCS(0)
	}
	return n
}

// inParallel calls do for every task below tasks, on up to workers goroutines, which are numbered from 0.
func inParallel(ctx context.Context, workers, tasks int, do func(worker, task int)) error {
	return untilError(ctx, workers, tasks, func(_ context.Context, worker, task int) error {
		do(worker, task)
		return nil
	})
}

// untilError is inParallel until one of the tasks fails. The context that tasks are given ends then, too.
func untilError(ctx context.Context, workers, tasks int,
	do func(ctx context.Context, worker, task int) error) error {
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for worker := range min(workers, tasks) {
		work := func() error {
			for {
				task := int(next.Add(1)) - 1
				if task >= tasks {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := do(ctx, worker, task); err != nil {
					return err
				}
			}
		}
		group.Go(func() error { return parallel.Guard(work) })
	}
	return group.Wait()
}
