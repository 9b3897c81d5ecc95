// Package kerneltest answers how kernels are tested: by instruction set ([ForEachISA]), as layers against their
// definition and its numerical derivative ([CheckLayers]), as vectors against their portable loop ([CheckVectors]), in
// fenced memory ([Guarded]), past the caches ([CheckStreamed]), and how fast they are ([BenchmarkPasses],
// [ReportSpeed]).
package kerneltest
