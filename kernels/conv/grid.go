package conv

import "github.com/reidbench/reidbench/kernels/mem"

// blockGrid cuts products into tasks: blocks of rows, and blocks of columns of a group. Those of the same rows follow
// each other, group by group.
type blockGrid struct {
	rowBlocks         int
	groups            int
	cols, columnBlock int // of a group
}

func (g *blockGrid) tasks() int { return g.rowBlocks * g.groups * mem.CeilDiv(g.cols, g.columnBlock) }

// task returns the block of rows, the group and the columns of a task.
func (g *blockGrid) task(index int) (rowBlock, group, col, cols int) {
	columnBlocks := mem.CeilDiv(g.cols, g.columnBlock)
	col = index % columnBlocks * g.columnBlock
	return index / (columnBlocks * g.groups), index / columnBlocks % g.groups, col, min(g.columnBlock, g.cols-col)
}
