package market1501

import "sync"

// counter tells how many of a number of images are done, one call at a time.
type counter struct {
	mu          sync.Mutex
	done, total int
	tell        func(done, total int) // nil: nobody
}

// add counts one image. If tell panics, others go on.
func (c *counter) add() {
	if c.tell == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done++
	c.tell(c.done, c.total)
}
