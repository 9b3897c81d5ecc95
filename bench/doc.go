// Package bench trains and evaluates models side by side and keeps what comes
// out of it.
//
// [Run] fans training jobs out, one per model and seed. A job that was interrupted, or
// killed, goes on from its newest checkpoint and ends with the same bits as one that was
// not; a finished one is not done again. Package store says what a job's folder holds and
// how far the job is. [EstimateRun] says what a run would do and how long it would take,
// and [Evaluate] and [Rank] judge a file of weights by the protocol that runs are judged by.
package bench
