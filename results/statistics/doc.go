// Package statistics says how sure figures over queries are. The queries of one person are not independent: she is easy
// to find or hard. All of it takes identities for what was drawn, and a query for a part of one.
//
//   - [Identities.Intervals]: 95 % intervals by a bootstrap over identities
//   - [SignFlips]: a paired permutation test over identities
//   - [Holm]: what becomes of p-values when many were looked at
//   - [KendallTauB], [SpearmanRho], [MeanAbsoluteDifference]: how far two lists of figures agree
//
// The gallery is taken as it is: what is said holds for other people sought in the same gallery. Random draws have
// fixed seeds, and sums a fixed order: the same figures give the same bits, with any number of threads.
package statistics
