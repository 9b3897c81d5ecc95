package conv

import (
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
)

const (
	waveRounds    = 2  // blocks of a wave that each thread computes
	busyWithSplit = 75 // percent of the threads' time in use, for which each split is one task
)

// jointWave is what the waves of a call have in common. Where there are more threads than splits, or so many that a
// good part of them would wait for the last splits, the blocks of a whole backward pass are computed in waves: some
// blocks of every split, first dy and the data gradient of each, then the weights' gradient, split by split and some
// output channels at a time. Every sum is added up in the same order, so that this changes no bit; but dy leaves the
// core on which it was made. The zero value stands for no waves: a thread does all of a split.
type jointWave struct {
	perSplit int       // blocks of every split in a wave
	channels int       // output channels of a task
	dy       []float32 // of the blocks of a wave
	first    int       // block of every split, in the wave at hand
}

// takeWave returns how waves are cut for a number of threads, and takes their dy.
func (j *jointProduct) takeWave(threads int, space *mem.Scratch) jointWave {
	splits, perSplit := j.splits(), j.perSplit()
	if busy(splits, threads) >= busyWithSplit {
		return jointWave{}
	}
	tile := gemm.Tile().Rows
	w := jointWave{perSplit: min(waveRounds*piecesFor(splits, threads, perSplit), perSplit)}
	parts := piecesFor(splits, threads, mem.CeilDiv(j.weights.rows, tile))
	w.channels = mem.RoundUp(mem.CeilDiv(j.weights.rows, parts), tile)
	w.dy = space.Take(splits * w.perSplit * j.dySize())
	return w
}

// parts returns into how many tasks the weights' gradient of a split is cut.
func (w *jointWave) parts(channels int) int { return mem.CeilDiv(channels, w.channels) }

// The stages of a wave.
type (
	jointWaveData jointProduct
	jointWaveSums jointProduct
)

func (j *jointProduct) runWaves(p *parallel.Pool) {
	w := &j.wave
	for w.first = 0; w.first < j.perSplit(); w.first += w.perSplit {
		p.Run(j.splits()*w.perSplit, (*jointWaveData)(j))
		p.Run(j.splits()*w.parts(j.weights.rows), (*jointWaveSums)(j))
	}
}

// blockOfWave returns a block of the wave at hand, as block does, and its dy.
func (j *jointProduct) blockOfWave(split, index int) (dy []float32, at, pixels int) {
	w := &j.wave
	if block := w.first + index; block < j.perSplit() {
		at, pixels = j.block(split, block)
	}
	return w.dy[(split*w.perSplit+index)*j.dySize():][:j.dySize()], at, pixels
}

// Do computes dy and the data gradient of a block.
func (k *jointWaveData) Do(task, worker int) {
	j := (*jointProduct)(k)
	dy, at, pixels := j.blockOfWave(task/j.wave.perSplit, task%j.wave.perSplit)
	space := j.scratchOf(worker)
	j.multiplyPixels(dy, at, pixels, space.Rest)
}

// Do adds the gradient of the weights of some channels over all blocks of a split.
func (k *jointWaveSums) Do(task, worker int) {
	j := (*jointProduct)(k)
	w, parts := &j.wave, j.wave.parts(j.weights.rows)
	split, first := task/parts, task%parts*w.channels
	slot, add := j.slot(split)
	space := j.scratchOf(worker)
	for index := range w.perSplit {
		dy, at, pixels := j.blockOfWave(split, index)
		last := min(first+w.channels, j.weights.rows)
		j.sumPixels(slot, dy, at, pixels, first, last, add || w.first+index > 0, space.Rest)
	}
}
